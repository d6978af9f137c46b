#include "algorithms/payload.h"

#include <algorithm>
#include <deque>
#include <mutex>

namespace skiff {
namespace {

struct Names {
  std::mutex mutex;
  std::deque<std::string> all;  // references stay valid
};
Names& names() {
  static Names n;
  return n;
}

Bytes sum(const std::vector<Section>& sections) {
  Bytes total;
  for (const Section& s : sections) total += s.bytes;
  return total;
}

}  // namespace

SectionId section_id(std::string_view name) {
  Names& n = names();
  const std::lock_guard lock(n.mutex);
  const auto it = std::find(n.all.begin(), n.all.end(), name);
  if (it != n.all.end()) return static_cast<SectionId>(it - n.all.begin());
  n.all.emplace_back(name);
  return static_cast<SectionId>(n.all.size() - 1);
}

const std::string& section_name(SectionId id) {
  Names& n = names();
  const std::lock_guard lock(n.mutex);
  return n.all.at(static_cast<std::size_t>(id));
}

Bytes Section::missing(std::int64_t held) const {
  if (key < 0 || held < 0 || held > key) return bytes;
  if (held == key) return Bytes(0);
  return increment && held >= first ? std::min(bytes, (key - held) * *increment) : bytes;
}

Bytes Exchange::down_bytes() const { return sum(down); }
Bytes Exchange::up_bytes() const { return sum(up); }

const Payload* Message::find(SectionId name) const {
  for (const auto& [id, payload] : sections) {
    if (id == name) return &payload;
  }
  return nullptr;
}

Bytes Message::bytes() const {
  Bytes total;
  for (const auto& [id, payload] : sections) total += payload.size();
  return total;
}

}  // namespace skiff
