#include "algorithms/models/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/core/error.h"

namespace fs = std::filesystem;

namespace skiff {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMostHeader = 100'000'000;
constexpr std::size_t kMostDimensions = 16;
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 60;

struct TypeInfo {
  const char* name;
  std::uint64_t bytes;
  StoredType type;
};
constexpr TypeInfo kTypes[] = {
    {"F32", 4, StoredType::kF32},       {"F16", 2, StoredType::kF16},
    {"BF16", 2, StoredType::kBF16},     {"F64", 8, StoredType::kOther},
    {"I64", 8, StoredType::kOther},     {"I32", 4, StoredType::kOther},
    {"I16", 2, StoredType::kOther},     {"I8", 1, StoredType::kOther},
    {"U64", 8, StoredType::kOther},     {"U32", 4, StoredType::kOther},
    {"U16", 2, StoredType::kOther},     {"U8", 1, StoredType::kOther},
    {"BOOL", 1, StoredType::kOther},    {"F8_E4M3", 1, StoredType::kOther},
    {"F8_E5M2", 1, StoredType::kOther},
};

// JSON of a file; keys of the outermost two levels that occur twice are refused, as is what is
// nested absurdly deep.
Json parse_json(const std::string& file, std::uint64_t offset, std::string_view text) {
  std::set<std::string> seen[2];
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 8) throw DataError(file, static_cast<long long>(offset), "JSON nested too deep");
    if (event == Json::parse_event_t::object_start && depth == 1) seen[1].clear();
    if (event == Json::parse_event_t::key && (depth == 1 || depth == 2)) {
      const auto key = parsed.get<std::string>();
      if (!seen[depth - 1].insert(key).second) {
        throw DataError(file, static_cast<long long>(offset),
                        fmt::format("\"{}\" occurs twice", key));
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::parse_error& e) {
    const std::string reason = e.what();
    const std::size_t at = reason.find(": ");
    throw DataError(file, static_cast<long long>(offset + e.byte),
                    "not JSON: " + (at == std::string::npos ? reason : reason.substr(at + 2)));
  } catch (const Json::out_of_range&) {  // what no double holds
    throw DataError(file, static_cast<long long>(offset), "holds a number that is too large");
  }
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Reading {
 public:
  explicit Reading(const std::string& path) : file_(MappedFile::open(path)) {
    std::uint64_t length = 0;
    const auto head = file_->part(0, 8, "the header's length");
    std::memcpy(&length, head.data(), 8);
    if (length > kMostHeader || length > file_->size() - 8) {
      throw DataError(
          path, 0,
          fmt::format("the header claims {} bytes; the file has {} after the length, and "
                      "at most {} are read",
                      length, file_->size() - 8, kMostHeader));
    }
    begin_ = 8 + length;
    header_ = parse_json(path, 8, as_text(file_->part(8, length, "the header")));
    if (!header_.is_object()) fail("expected an object as the header");
  }

  std::vector<CheckpointTensor> tensors() const {
    std::vector<CheckpointTensor> all;
    for (const auto& [name, entry] : header_.items()) {
      if (name != "__metadata__") all.push_back(tensor(name, entry));
    }
    check_tiling(all);
    return all;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(file_->path(), 8, message);
  }

  std::uint64_t count(const Json& value, const std::string& what) const {
    if (!value.is_number_unsigned())
      fail(what + ": expected a whole number, found " + shown(value));
    return value.get<std::uint64_t>();
  }
  static std::string shown(const Json& value) {
    return value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 60);
  }

  std::uint64_t read_shape(const std::string& name, const Json& entry,
                           std::vector<std::int64_t>& shape) const {
    const auto found = entry.find("shape");
    if (found == entry.end() || !found->is_array()) fail(name + ": expected a list as shape");
    if (found->size() > kMostDimensions) {
      fail(fmt::format("{}: {} dimensions; at most {}", name, found->size(), kMostDimensions));
    }
    std::uint64_t elements = 1;
    for (const Json& d : *found) {
      const std::uint64_t n = count(d, name + ": shape");
      if (n > kMostElements || (n != 0 && elements > kMostElements / n)) {
        fail(fmt::format("{}: the shape {} is absurd", name, shown(*found)));
      }
      elements *= n;
      shape.push_back(static_cast<std::int64_t>(n));
    }
    return elements;
  }

  CheckpointTensor tensor(const std::string& name, const Json& entry) const {
    if (!entry.is_object()) fail(name + ": expected an object, found " + shown(entry));
    CheckpointTensor t;
    t.name = name;
    t.file = file_;
    const auto type = entry.find("dtype");
    if (type == entry.end() || !type->is_string()) fail(name + ": expected text as dtype");
    t.type_name = type->get<std::string>();
    const auto* info = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const TypeInfo& i) { return t.type_name == i.name; });
    if (info == std::end(kTypes)) fail(fmt::format("{}: unknown dtype {}", name, shown(*type)));
    t.type = info->type;
    const std::uint64_t elements = read_shape(name, entry, t.shape);
    const auto offsets = entry.find("data_offsets");
    if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2) {
      fail(name + ": expected [begin, end] as data_offsets");
    }
    const std::uint64_t begin = count((*offsets)[0], name + ": data_offsets");
    const std::uint64_t end = count((*offsets)[1], name + ": data_offsets");
    if (begin > end || end > file_->size() - begin_) {
      fail(fmt::format("{}: data_offsets [{}, {}]; the values have {} bytes", name, begin, end,
                       file_->size() - begin_));
    }
    if (end - begin != elements * info->bytes) {
      fail(fmt::format("{}: {} bytes for {} values of {}; expected {}", name, end - begin, elements,
                       t.type_name, elements * info->bytes));
    }
    t.offset = begin_ + begin;
    t.bytes = file_->part(t.offset, end - begin, name);
    return t;
  }

  // Every byte of the values belongs to exactly one tensor.
  void check_tiling(const std::vector<CheckpointTensor>& tensors) const {
    std::vector<const CheckpointTensor*> order;
    for (const CheckpointTensor& t : tensors) order.push_back(&t);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return std::pair(a->offset, a->bytes.size()) < std::pair(b->offset, b->bytes.size());
    });
    std::uint64_t at = begin_;
    for (const CheckpointTensor* t : order) {
      if (t->offset != at) {
        throw DataError(file_->path(), static_cast<long long>(std::min(at, t->offset)),
                        fmt::format("{} {} at byte {}; expected it at {}", t->name,
                                    t->offset < at ? "overlaps another tensor" : "leaves a hole",
                                    t->offset, at));
      }
      at += t->bytes.size();
    }
    if (at != file_->size()) {
      throw DataError(file_->path(), static_cast<long long>(at),
                      fmt::format("{} bytes follow the last tensor", file_->size() - at));
    }
  }

  MappedFilePtr file_;
  std::uint64_t begin_ = 0;  // of the values
  Json header_;
};

}  // namespace

std::string config_beside(const std::string& path) {
  const fs::path config = fs::path(path).parent_path() / "config.json";
  std::error_code error;
  if (!fs::is_regular_file(config, error)) return "";
  const MappedFile file(config.string());
  return std::string(as_text(file.bytes()));
}

CheckpointPtr open_safetensors(const std::string& path) {
  return std::make_shared<const Checkpoint>(path, Reading(path).tensors(), config_beside(path));
}

CheckpointPtr open_sharded_safetensors(const std::string& index_path) {
  const MappedFile index(index_path);
  if (index.size() > kMostHeader) throw DataError(index_path, "is longer than 100 MB");
  const Json json = parse_json(index_path, 0, as_text(index.bytes()));
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (map == json.end() || !map->is_object()) {
    throw DataError(index_path, "expected an object as weight_map");
  }
  std::map<std::string, std::set<std::string>> names_of;  // by shard
  for (const auto& [name, shard] : map->items()) {
    const std::string file = shard.is_string() ? shard.get<std::string>() : "";
    if (file.empty() || file.find('/') != std::string::npos || !file.ends_with(".safetensors")) {
      throw DataError(index_path, name + ": expected a .safetensors in the same folder");
    }
    names_of[file].insert(name);
  }
  std::vector<CheckpointTensor> tensors;
  for (const auto& [file, names] : names_of) {
    const std::string path = fs::path(index_path).parent_path() / file;
    std::size_t found = 0;
    for (CheckpointTensor& t : Reading(path).tensors()) {
      if (names.count(t.name) == 0) throw DataError(path, t.name + " is not in the index");
      ++found;
      tensors.push_back(std::move(t));
    }
    if (found != names.size()) {
      throw DataError(
          path, fmt::format("holds {} of the {} tensors that the index says", found, names.size()));
    }
  }
  return std::make_shared<const Checkpoint>(index_path, std::move(tensors),
                                            config_beside(index_path));
}

}  // namespace skiff
