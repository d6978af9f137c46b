// The server's access link, both directions: unlimited, or shared max-min fairly by the transfers
// that are under way. Posts one event a direction, at its next completion.
#pragma once

#include <array>
#include <optional>

#include "devices/shared_link.h"
#include "sim/engine/engine.h"
#include "sim/federation/attempt.h"

namespace skiff {

class ServerLinks {
 public:
  ServerLinks(Engine& engine, std::optional<BytesPerSecond> download,
              std::optional<BytesPerSecond> upload);

  bool limited(Direction d) const { return side(d).has_value(); }
  SharedLink::Flow start(Direction d, AttemptId attempt, Bytes wire, std::int64_t cap_bps);
  // Bytes that went through until now.
  Bytes abort(Direction d, SharedLink::Flow flow);
  // The completions that are due; call from the event of that direction.
  bool pop(Direction d, SharedLink::Completion& out);
  // After the last pop of an event.
  void post(Direction d);

 private:
  std::optional<SharedLink>& side(Direction d) { return links_[static_cast<std::size_t>(d)]; }
  const std::optional<SharedLink>& side(Direction d) const {
    return links_[static_cast<std::size_t>(d)];
  }

  Engine& engine_;
  std::array<std::optional<SharedLink>, 2> links_;  // by Direction, as the device sees it
  std::array<Handle, 2> next_;
};

}  // namespace skiff
