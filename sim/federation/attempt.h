// One try of one device to take part in a round: an explicit state machine.
//
//   kDownload -> kLoad -> kTrain -> kUpload -> kReported
//   from any of the first four -> kLost (failure, battery, offline, memory) or kCut (round closed)
#pragma once

#include <cstdint>

#include "devices/battery.h"
#include "devices/compute.h"
#include "devices/memory.h"
#include "devices/network.h"
#include "devices/shared_link.h"
#include "sim/engine/event.h"
#include "sim/record/rows.h"

namespace skiff {

using AttemptId = std::uint32_t;  // index within the round

enum class AttemptPhase : std::uint8_t {
  kDownload,
  kLoad,
  kTrain,
  kUpload,
  kReported,
  kLost,
  kCut
};

// What a device is asked to do, known before it starts.
struct Assignment {
  std::uint32_t device = 0;
  std::uint32_t plan = 0;
  std::uint32_t round = 0;
  std::int64_t base_version = 0;
  std::int64_t samples = 0, steps = 0;
  int batch = 0;
  Bytes down, up;    // payload bytes; what the device already holds is left out
  Bytes encoded_up;  // of the trained model; up is that of the deployed one
  std::int64_t received_base = -1, received_model = -1;  // keys, to remember what is held
  Flops flops;
  ComputeCost work;  // time and energy of training
  FlashCost load;    // of writing to flash what was received
  MemoryDemand memory;
  Bytes memory_limit;
};

struct Attempt {
  Assignment task;
  AttemptPhase phase = AttemptPhase::kDownload;
  Transfer transfer;     // of the present phase
  bool settled = false;  // its transfer is in the books
  bool flowing = false;  // through the server's shared link
  SharedLink::Flow flow = 0;
  VirtualTime phase_start;
  VirtualTime phase_end = kNever;  // if nothing fails before; kNever: a flow ends it
  VirtualTime selected, download_end = kNever, train_end = kNever, upload_end = kNever;
  Handle timer;                   // the next thing that happens to it by itself
  VirtualTime fails_at = kNever;  // crash, interruption, going offline
  Cause failure = Cause::kNone;
  MemoryVerdict memory;        // if it runs
  Bytes moved_down, moved_up;  // over the link, headers left out
  EnergyByCause spent_before;  // books of the battery when it was selected
  double battery_start = 0, battery_end = 0;
  EnergyParts energy;
  Cause cause = Cause::kNone;
  double train_loss = kNotMeasured;
  double contraction = kNotMeasured;  // greatest, of an optimizer that notes it

  bool running() const { return phase <= AttemptPhase::kUpload; }
};

}  // namespace skiff
