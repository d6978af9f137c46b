// What really goes over the wire: encoded bytes, and the sections of a message.
//
// Section names are interned once (`section_id`), so that the path of a client update handles
// small integers. A Section may carry a key: a device that holds (name, key) does not receive it
// again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/core/units.h"

namespace skiff {

struct Payload {
  std::vector<std::byte> bytes;
  Bytes size() const { return Bytes(static_cast<std::int64_t>(bytes.size())); }
};

using SectionId = int;
SectionId section_id(std::string_view name);  // same name, same id; call at start-up
const std::string& section_name(SectionId id);

struct Section {
  SectionId name = 0;
  Bytes bytes;
  std::int64_t key = -1;  // -1: nothing to cache
  // A device that holds the section of an earlier key may receive, instead of the whole, that many
  // bytes for each key that it missed.
  std::optional<Bytes> increment = std::nullopt;
  std::int64_t first = 0;  // the earliest key to which increments can be added

  // What a device that holds the section of key `held` (-1: none) must receive.
  Bytes missing(std::int64_t held) const;
};

// The sizes of what is said in one attempt, before anything runs.
struct Exchange {
  std::vector<Section> down, up;
  Bytes down_bytes() const;
  Bytes up_bytes() const;
};

struct Model;  // algorithms/model.h

struct Message {
  std::vector<std::pair<SectionId, Payload>> sections;
  std::shared_ptr<const Model> base;  // the prepared model, if the plan compresses it
  std::int64_t version = 0;           // of the server that speaks, or is answered

  const Payload* find(SectionId name) const;  // null if absent
  Bytes bytes() const;                        // of the payloads
};

}  // namespace skiff
