// Layout: PKWARE APPNOTE 6.3.3, sections 4.3.7 (local header), 4.3.12 (central directory)
// and 4.3.16 (its end).
#include "algorithms/data/zip_file.h"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "algorithms/data/input_file.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22;
constexpr std::size_t kLongestComment = 0xffff;
constexpr unsigned kEncrypted = 1, kStored = 0, kDeflated = 8;

class Archive {
 public:
  explicit Archive(const std::string& path) : path_(path) {
    InputFile file(path);
    if (file.most_bytes() > kMostZipBytes) throw DataError(path, "is longer than 1 GiB");
    bytes_.resize(static_cast<std::size_t>(file.most_bytes()));
    bytes_.resize(file.read(bytes_.data(), bytes_.size()));
  }

  std::vector<ZipEntry> entries() const {
    const std::size_t end = find_end();
    const std::size_t count = number(end + 10, 2);
    std::size_t at = number(end + 16, 4);
    std::vector<ZipEntry> all;
    for (std::size_t i = 0; i < count; ++i) {
      if (part(at, kCentralSize).empty() || number(at, 4) != kCentral) {
        fail("its directory is broken at entry " + std::to_string(i + 1));
      }
      const std::size_t name = number(at + 28, 2);
      const std::string_view written = part(at + kCentralSize, name);
      if (written.size() == name && name > 0 && written.back() != '/') {
        all.push_back(entry(at, std::string(written)));
      }
      at += kCentralSize + name + number(at + 30, 2) + number(at + 32, 2);
    }
    std::sort(all.begin(), all.end(),
              [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
    return all;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw DataError(path_, what); }

  // Empty where it would go beyond the archive's end.
  std::string_view part(std::size_t at, std::size_t n) const {
    if (at > bytes_.size() || n > bytes_.size() - at) return {};
    return std::string_view(bytes_).substr(at, n);
  }
  // Little endian; the caller has checked that it lies inside.
  std::size_t number(std::size_t at, std::size_t n) const {
    std::size_t value = 0;
    for (std::size_t i = n; i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(bytes_[at + i]);
    return value;
  }

  std::size_t find_end() const {
    if (bytes_.size() >= kEndSize) {
      const std::size_t last = bytes_.size() - kEndSize;
      const std::size_t first = last > kLongestComment ? last - kLongestComment : 0;
      for (std::size_t at = last + 1; at-- > first;) {
        if (number(at, 4) == kEnd) return at;
      }
    }
    fail("is no zip archive, or is cut short");
  }

  ZipEntry entry(std::size_t at, const std::string& name) const {
    const std::size_t flags = number(at + 8, 2), method = number(at + 10, 2);
    const std::size_t packed = number(at + 20, 4), size = number(at + 24, 4);
    const std::size_t local = number(at + 42, 4);
    if ((flags & kEncrypted) != 0) fail(name + " is encrypted");
    if (method != kStored && method != kDeflated) fail(name + " is packed in an unknown way");
    if (size > static_cast<std::size_t>(kMostZipBytes)) fail(name + " is longer than 1 GiB");
    if (part(local, kLocalSize).empty() || number(local, 4) != kLocal) {
      fail("the place of " + name + " is wrong");
    }
    const std::size_t data = local + kLocalSize + number(local + 26, 2) + number(local + 28, 2);
    const std::string_view raw = part(data, packed);
    if (raw.size() != packed) fail(name + " is cut short");
    ZipEntry made{name, method == kStored ? std::string(raw) : inflated(name, raw, size)};
    const auto* bytes = reinterpret_cast<const Bytef*>(made.bytes.data());
    const uLong sum = crc32(0, bytes, static_cast<uInt>(made.bytes.size()));
    if (made.bytes.size() != size || sum != number(at + 16, 4)) fail(name + " is corrupt");
    return made;
  }

  std::string inflated(const std::string& name, std::string_view raw, std::size_t size) const {
    // Deflate packs at most 1032 to 1: a header that promises more lies.
    if (size > 1032 * raw.size() + 64) fail(name + " is corrupt");
    std::string out(size, '\0');
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail(name + " cannot be unpacked");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
    stream.avail_in = static_cast<uInt>(raw.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (code != Z_STREAM_END || stream.total_out != size) fail(name + " is corrupt");
    return out;
  }

  std::string path_, bytes_;
};

}  // namespace

std::vector<ZipEntry> read_zip(const std::string& path) { return Archive(path).entries(); }

}  // namespace skiff
