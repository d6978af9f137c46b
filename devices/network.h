// How long a transfer takes over a device's own link.
//
//   t = handshake (2 RTT, 1 resumed: TCP with TLS 1.3) + slow start + S (1 + h) / r
//
// Slow start is counted exactly: windows of 10 x 1460 B that double each RTT until a window fills
// the pipe, cwnd >= r RTT (RFC 6928, RFC 5681). What it costs is a delay before the fluid part, so
// that a transfer over a shared link is: wait for `lead`, then a flow of `wire` bytes capped at the
// device's rate. Rates are whole bits per second, so that sums are exact. Pure functions,
// thread-safe.
#pragma once

#include <cstdint>

#include "devices/profile.h"

namespace skiff {

enum class Direction : std::uint8_t { kDownload, kUpload };  // as the device sees it

struct AccessLink {
  std::int64_t download_bps = 0, upload_bps = 0;
  Seconds rtt{};
  double header = 0;  // bytes of headers per byte of payload

  std::int64_t bps(Direction d) const {
    return d == Direction::kDownload ? download_bps : upload_bps;
  }
};

std::int64_t bits_per_second(BytesPerSecond rate);  // rounded, at least 1
constexpr BytesPerSecond bytes_per_second(std::int64_t bps) {
  return BytesPerSecond(static_cast<double>(bps) / 8);
}

struct Transfer {
  Seconds lead;          // handshake and what slow start loses
  Bytes wire;            // payload and headers
  std::int64_t bps = 0;  // cap of the device's link

  Seconds alone() const { return lead + wire / bytes_per_second(bps); }  // on an idle server link
};

// `resumed`: the device has spoken to the server before in this attempt. Zero bytes need no time.
Transfer plan_transfer(const AccessLink& link, Direction direction, Bytes payload, bool resumed);

// Payload with headers, to the nearest byte.
Bytes wire_bytes(Bytes payload, double header);
// What slow start adds to wire / rate.
Seconds slow_start_delay(Bytes wire, BytesPerSecond rate, Seconds rtt);

}  // namespace skiff
