// What work takes, stated from shapes alone and before it runs. devices/ turns it into seconds,
// joules and a memory verdict.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/core/units.h"

namespace skiff {

// Peak bytes in RAM, by what they hold.
struct PeakMemory {
  Bytes weights, gradients, optimizer_state, activations, adapters, scratch;
  Bytes total() const {
    return weights + gradients + optimizer_state + activations + adapters + scratch;
  }
};

// What PeakMemory counts among larger parts, for those who look closer.
struct MemoryDetail {
  Bytes masks, scales;  // of weights: which are left; scales, zero points and tables of codes
  Bytes logits;         // of activations
};

struct Cost {
  Flops fp32, fp16, int8;  // model operations by type; 2 a multiply-add
  Bytes dram;              // moved between RAM and the processor
  int batch = 1;           // samples a step: small batches use a processor badly
  std::int64_t steps = 1;  // kernel batches launched
  Flops weight_gradients;  // of fp32: what forms the gradients of linear layers' weights
  std::int64_t rows = 0;   // inputs of a linear layer in a step: samples, or their tokens
  PeakMemory memory;       // while it trains
  MemoryDetail detail;     // of memory
  Bytes storage;           // flash held between rounds: cached base, client state
  Bytes down, up;
  bool up_is_bound = false;  // the codec's size depends on its data: `up` is its bound

  // While the update is encoded: it stands in the gradients' place, beside its payload.
  PeakMemory encoding() const {
    return {.weights = memory.weights,
            .gradients = memory.gradients,
            .adapters = memory.adapters,
            .scratch = up};
  }
  Bytes peak() const { return std::max(memory.total(), encoding().total()); }
};

}  // namespace skiff
