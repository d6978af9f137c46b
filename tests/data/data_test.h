// What the tests of data sets share: making sources and partitions, temporary files, the folder of
// real data.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/data/federate.h"
#include "tests/real_data.h"
#include "tests/scratch_folder.h"

namespace skiff::test {

using Settings = std::initializer_list<std::pair<const char*, std::string>>;

template <class Role>
std::shared_ptr<const Role> make(const std::string& name, Settings settings = {}) {
  Node map;
  map.kind = Node::Kind::kMap;
  map.set(Role::kKey, Node::scalar(name));
  for (const auto& [key, value] : settings) map.set(key, Node::scalar(value));
  return Registry<Role>::instance().make(map);
}

inline LoadedData load(const std::string& source, Settings settings,
                       const DataOptions& options = {}, std::uint64_t seed = 1) {
  return make<DataSource>(source, settings)->load(options, seed);
}

// The same, with files that gzip packed.
class TempFolder : public ScratchFolder {
 public:
  std::string write_gzip(const std::string& name, const std::string& bytes) const {
    gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return path(name);
  }
};

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// FNV-1a over bytes: to pin generated data.
template <class Vector>
std::uint64_t hash_of(const Vector& values) {
  return hash_text({reinterpret_cast<const char*>(values.data()),
                    values.size() * sizeof(typename Vector::value_type)});
}

// IDX bytes: big-endian header, then data.
inline std::string idx(std::vector<std::uint32_t> dims, const std::string& data) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(dims.size())};
  for (const std::uint32_t d : dims) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(d >> shift & 255);
  }
  return bytes + data;
}

}  // namespace skiff::test
