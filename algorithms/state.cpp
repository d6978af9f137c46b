#include "algorithms/state.h"

#include <algorithm>
#include <limits>

namespace skiff {
namespace {

void put(std::string& out, std::uint64_t value) {
  char word[8];
  std::memcpy(word, &value, 8);
  out.append(word, 8);
}

std::uint64_t take(std::string_view& in) {
  if (in.size() < 8) throw DataError("state", "cut short");
  std::uint64_t value = 0;
  std::memcpy(&value, in.data(), 8);
  in.remove_prefix(8);
  return value;
}

std::string_view take_text(std::string_view& in) {
  const std::uint64_t n = take(in);
  if (n > in.size()) throw DataError("state", "cut short");
  const std::string_view text = in.substr(0, n);
  in.remove_prefix(n);
  return text;
}

constexpr std::string_view kMagic = "skiffst1";

}  // namespace

State::Array& State::find_or_add(std::string_view name, std::size_t element, std::size_t bytes) {
  const auto it = std::lower_bound(arrays_.begin(), arrays_.end(), name,
                                   [](const Array& a, std::string_view n) { return a.name < n; });
  if (it != arrays_.end() && it->name == name) {
    SKIFF_CHECK(it->element == element && it->data.size() == bytes,
                "state array asked for in another shape: " + it->name);
    return *it;
  }
  return *arrays_.insert(it, {std::string(name), element, std::vector<std::byte>(bytes)});
}

bool State::has(std::string_view name) const {
  return std::any_of(arrays_.begin(), arrays_.end(),
                     [&](const Array& a) { return a.name == name; });
}

void State::erase(std::string_view name) {
  std::erase_if(arrays_, [&](const Array& a) { return a.name == name; });
}

void State::note(std::string_view name, double value) {
  for (auto& [known, greatest] : notes_) {
    if (known == name) {
      greatest = std::max(greatest, value);
      return;
    }
  }
  notes_.emplace_back(name, value);
}

double State::noted(std::string_view name) const {
  for (const auto& [known, greatest] : notes_) {
    if (known == name) return greatest;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

Bytes State::bytes() const {
  Bytes total;
  for (const Array& a : arrays_) total += Bytes(static_cast<std::int64_t>(a.data.size()));
  return total;
}

std::string State::save() const {
  std::string out(kMagic);
  put(out, arrays_.size());
  for (const Array& a : arrays_) {
    put(out, a.name.size());
    out += a.name;
    put(out, a.element);
    put(out, a.data.size());
    out.append(reinterpret_cast<const char*>(a.data.data()), a.data.size());
  }
  return out;
}

State State::load(std::string_view text) {
  if (!text.starts_with(kMagic)) throw DataError("state", "not a saved state");
  text.remove_prefix(kMagic.size());
  State state;
  const std::uint64_t count = take(text);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view name = take_text(text);
    const std::uint64_t element = take(text);
    const std::string_view data = take_text(text);
    if (element == 0 || data.size() % element != 0) throw DataError("state", "a ragged array");
    const bool ascends = state.arrays_.empty() || state.arrays_.back().name < name;
    if (!ascends) throw DataError("state", "its names do not ascend");
    Array& a = state.find_or_add(name, element, data.size());
    if (!data.empty()) std::memcpy(a.data.data(), data.data(), data.size());
  }
  if (!text.empty()) throw DataError("state", "something follows the last array");
  return state;
}

}  // namespace skiff
