// What the tests of data sets share: making sources and partitions, temporary files, the folder of
// real data.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/data/federate.h"

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

// A folder that goes away with the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "skiff-data-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string path(const std::string& name = "") const {
    return name.empty() ? path_ : path_ + "/" + name;
  }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string write_gzip(const std::string& name, const std::string& bytes) const {
    const gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return path(name);
  }

 private:
  std::string path_;
};

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// $SKIFF_DATA/name, or ../shared/data/name beside the repository; "" if it is not there.
inline std::string real_data(const std::string& name) {
  const char* data = std::getenv("SKIFF_DATA");
  const char* source = std::getenv("SKIFF_SOURCE");
  std::string folder = data != nullptr ? data : "";
  if (folder.empty()) folder = std::string(source != nullptr ? source : ".") + "/../shared/data";
  const std::string path = folder + "/" + name;
  return std::filesystem::exists(path) ? path : "";
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
