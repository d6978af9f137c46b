// Codec: how a float vector becomes bytes, and back.
//
// Immutable, shared by threads; what it remembers lives in the States it is given (error feedback,
// the shifts of EF21). Declared size = encoded size, exactly, unless size_depends_on_data().
#pragma once

#include <span>

#include "algorithms/models/layout.h"
#include "algorithms/payload.h"
#include "algorithms/state.h"
#include "sim/core/random.h"

namespace skiff {

class Codec {
 public:
  static constexpr const char* kRole = "communication";
  static constexpr const char* kKey = "name";
  virtual ~Codec() = default;

  // Of a vector of this layout; a bound if size_depends_on_data().
  virtual Bytes bytes(const Layout& layout) const = 0;
  // Replaces `values` by exactly what the receiver will read from the payload. Values must be
  // finite: the sender reports a diverged update instead of encoding it.
  virtual Payload encode(const Layout& layout, std::span<float> values, State& sender,
                         Stream stream) const = 0;
  // Throws DataError for a payload that encode cannot have made.
  virtual void decode(const Layout& layout, const Payload& payload, std::span<float> out) const = 0;

  // Server half (EF21, DIANA, MARINA): turns the mean of what was decoded from a `share` (0..1) of
  // all clients into the direction that the server applies.
  virtual void combine(std::span<float> /*mean*/, double /*share*/, State& /*server*/) const {}
  // combine() does something: the method must call it, and every plan must send with such a codec,
  // for there is one server half.
  virtual bool has_server_half() const { return false; }

  // Between a client's participations; bytes of it for this layout.
  virtual bool keeps_state() const { return false; }
  virtual Bytes state_bytes(const Layout&) const { return Bytes(0); }
  virtual bool size_depends_on_data() const { return false; }
  virtual bool unbiased() const { return false; }
  // What every client gets back is what was sent, whatever it is.
  bool lossless() const { return unbiased() && variance(1000) == 0; }

  // The codec for messages to or from this version of the server, where rounds are of several kinds
  // (MARINA's coin): sender, receiver and planner all ask. `seed`: the run's.
  virtual const Codec& in_round(std::uint64_t /*seed*/, std::int64_t /*version*/) const {
    return *this;
  }
  // A client that is left out of a round makes the two halves part.
  virtual bool needs_everyone() const { return false; }

  // Of the bare codec, without its memory: E|C(v) - v|^2 <= variance |v|^2 for an unbiased one,
  // E|C(v) - v|^2 <= (1 - contraction) |v|^2 for a biased one; negative: none is stated. n: length
  // of the vector.
  virtual double variance(std::size_t /*n*/) const { return -1; }
  virtual double contraction(std::size_t /*n*/) const { return -1; }
};

}  // namespace skiff
