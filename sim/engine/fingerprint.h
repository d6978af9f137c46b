// A 64-bit hash of a trajectory: every dispatched event's time, type, target and argument, in
// order, and whatever outcomes the caller adds. Two runs with the same fingerprint did the same
// things at the same times. Not cryptographic; a few ns an event.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/core/random.h"
#include "sim/engine/event.h"

namespace skiff {

class Fingerprint {
 public:
  void add(const Event& event) {
    mix(static_cast<std::uint64_t>(event.time));
    mix(std::uint64_t{event.target} << 32 | event.arg);
    mix(event.type);
  }
  template <std::integral T>
  void add(T value) {
    mix(static_cast<std::uint64_t>(value));
  }
  // By bits, but all NaNs are one: their sign and payload depend on the processor.
  void add(double value) {
    mix(std::isnan(value) ? 0x7ff8000000000000ull : std::bit_cast<std::uint64_t>(value));
  }
  void add(std::string_view text) {
    mix(hash_text(text));
    mix(text.size());
  }

  std::uint64_t value() const { return mix64(state_); }
  std::string text() const { return hex(value(), 16); }
  std::string short_text() const { return text().substr(0, 8); }  // for people: "5d1c09e2"

  bool operator==(const Fingerprint&) const = default;

 private:
  // Invertible in the state and in x, so no word is ever lost; mix64(x) does not wait for the
  // state, which keeps the chain from event to event short.
  void mix(std::uint64_t x) { state_ = (std::rotl(state_, 23) ^ mix64(x)) * 0x9fb21c651e98df25ull; }
  static std::string hex(std::uint64_t value, int digits) {
    std::string text;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
      text += "0123456789abcdef"[value >> shift & 15];
    }
    return text;
  }

  std::uint64_t state_ = 0x6a09e667f3bcc908ull;
};

}  // namespace skiff
