// Error feedback: what a biased codec did not send is kept by the sender and added to the next
// message. Seide et al. 2014 (Interspeech); Stich, Cordonnier and Jaggi 2018, "Sparsified SGD with
// memory" (arXiv:1809.07599), algorithm 1; Karimireddy et al. 2019 (arXiv:1901.09847).
//
//   u = v + e;   send C(u);   e <- u - C(u)        e: zero at first
//
// The residual e is the float32 array "error_feedback" (n values) of the sender's state. Where C
// keeps entries as they are (top-k), sent + new residual = v + old residual holds to the bit.
// u saturates at the largest finite float32, so that a diverging run stays defined.
#pragma once

#include <span>

#include "algorithms/payload.h"
#include "algorithms/state.h"

namespace skiff {

inline constexpr const char* kResidual = "error_feedback";

// values = residual = values + residual.
void add_residual(std::span<float> values, std::span<float> residual) noexcept;

// encode(values) replaces the values by what the receiver will read, as Codec::encode does.
template <class Encode>
Payload with_error_feedback(std::span<float> values, State& sender, Encode&& encode) {
  const std::span<float> residual = sender.array<float>(kResidual, values.size());
  add_residual(values, residual);
  Payload payload = encode(values);
  for (std::size_t i = 0; i < values.size(); ++i) residual[i] -= values[i];
  return payload;
}

}  // namespace skiff
