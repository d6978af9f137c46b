// The types of events of a federated run.
#pragma once

#include "sim/engine/event.h"

namespace skiff::events {

// target: attempt within the round; arg: round.
inline constexpr EventType kAttemptTimer = 1;
// target: Direction.
inline constexpr EventType kServerLink = 2;
// target: device; arg: round.
inline constexpr EventType kCheckIn = 3;
// arg: round.
inline constexpr EventType kSelectTimeout = 4;
inline constexpr EventType kDeadline = 5;
inline constexpr EventType kRoundStart = 6;

}  // namespace skiff::events
