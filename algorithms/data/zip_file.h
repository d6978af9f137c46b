// The texts of a .zip archive: stored and deflated entries, each checked by its CRC-32.
//
// Read whole into memory, so it is for archives of texts, not for data sets of gigabytes. Refused,
// as DataError with the archive and the entry: encrypted entries, other methods than the two,
// zip64, entries that claim to be larger than kMostZipBytes, and whatever does not fit together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace skiff {

inline constexpr std::int64_t kMostZipBytes = std::int64_t{1} << 30;  // of the archive; an entry

struct ZipEntry {
  std::string name;  // "state_union/1945-Truman.txt"
  std::string bytes;
};
// The files of the archive, by name; folders are left out.
std::vector<ZipEntry> read_zip(const std::string& path);

}  // namespace skiff
