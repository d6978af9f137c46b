#include "algorithms/stored_formats.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "algorithms/masked_values.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

std::map<std::string, MakeStoredValues, std::less<>>& formats() {
  static std::map<std::string, MakeStoredValues, std::less<>> all;
  return all;
}

StoredValuesPtr make_dense(const StoredParts& parts) {
  const auto size = static_cast<std::size_t>(parts.rows) * static_cast<std::size_t>(parts.cols);
  return dense_tensor(parts.rows, parts.cols, parts.array<float>("values", "F32", size)).values;
}

StoredValuesPtr make_masked(const StoredParts& parts) {
  const auto size = static_cast<std::int64_t>(parts.rows) * parts.cols;
  const auto bytes = static_cast<std::size_t>((size + 7) / 8);
  std::vector<std::uint8_t> bitmap = parts.array<std::uint8_t>("mask", "U8", bytes);
  if (size % 8 != 0 && bitmap.back() >> size % 8 != 0) {
    throw std::invalid_argument("its mask goes on after the last value");
  }
  const MaskedValues counted(size, bitmap, nullptr);
  StoredParts kept{1, static_cast<int>(counted.kept()), {}, parts.arrays};
  const Node* inner = parts.parameters.find("kept");
  if (inner == nullptr) throw std::invalid_argument("nothing says how the kept values are stored");
  kept.parameters = *inner;
  StoredValuesPtr values = make_stored_values(kept.word("format"), kept);
  return std::make_shared<const MaskedValues>(size, std::move(bitmap), std::move(values));
}

[[maybe_unused]] const bool registered[] = {register_stored_format("dense", make_dense),
                                            register_stored_format("masked", make_masked)};

}  // namespace

const StoredArray* StoredParts::find(std::string_view name) const {
  for (const StoredArray& array : arrays) {
    if (array.name == name) return &array;
  }
  return nullptr;
}

const StoredArray& StoredParts::checked(std::string_view name, std::string_view type,
                                        std::size_t bytes) const {
  const StoredArray* array = find(name);
  if (array == nullptr) throw std::invalid_argument(fmt::format("has no {}", name));
  if (array->type != type || array->bytes.size() != bytes) {
    throw std::invalid_argument(fmt::format("{}: {} bytes of {}; expected {} of {}", name,
                                            array->bytes.size(), array->type, bytes, type));
  }
  return *array;
}

std::string StoredParts::word(std::string_view key) const {
  const Node* node = parameters.find(key);
  if (node == nullptr || !node->is_scalar()) {
    throw std::invalid_argument(fmt::format("its parameters have no {}", key));
  }
  return node->text;
}

std::int64_t StoredParts::number(std::string_view key, std::int64_t least,
                                 std::int64_t most) const {
  const std::string text = word(key);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw std::invalid_argument(
        fmt::format("{}: \"{}\"; expected a whole number in {}..{}", key, text, least, most));
  }
  return value;
}

bool register_stored_format(std::string name, MakeStoredValues make) {
  SKIFF_CHECK(formats().emplace(std::move(name), make).second, "a format registered twice");
  return true;
}

StoredValuesPtr make_stored_values(std::string_view format, const StoredParts& parts) {
  const auto found = formats().find(format);
  if (found == formats().end()) {
    throw std::invalid_argument(fmt::format("its format \"{}\" is unknown", format));
  }
  return found->second(parts);
}

Node map_of(std::vector<std::pair<std::string, std::string>> scalars) {
  Node map;
  map.kind = Node::Kind::kMap;
  for (auto& [key, text] : scalars) map.set(key, Node::scalar(std::move(text)));
  return map;
}

}  // namespace skiff
