#include "devices/network.h"

#include <algorithm>
#include <cmath>

#include "sim/core/error.h"

namespace skiff {
namespace {
constexpr std::int64_t kFirstWindow = 10 * 1460;  // bytes: RFC 6928, ten segments
}

std::int64_t bits_per_second(BytesPerSecond rate) {
  const double bps = std::round(rate.value() * 8);
  SKIFF_CHECK(bps < 0x1p62, "rate beyond 4 Ebit/s");
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(bps));
}

Bytes wire_bytes(Bytes payload, double header) {
  return Bytes(std::llround(as_double(payload) * (1 + header)));
}

Seconds slow_start_delay(Bytes wire, BytesPerSecond rate, Seconds rtt) {
  const double pipe = rate.value() * rtt.value();  // bytes in flight at full rate
  Bytes left = wire;
  Bytes window(kFirstWindow);
  Seconds delay{};
  while (as_double(window) < pipe && left > window) {
    delay += rtt - window / rate;  // idle until the window is acknowledged
    left -= window;
    window += window;
  }
  return delay;
}

Transfer plan_transfer(const AccessLink& link, Direction direction, Bytes payload, bool resumed) {
  Transfer transfer;
  transfer.bps = link.bps(direction);
  SKIFF_CHECK(transfer.bps > 0, "a link without a rate");
  if (payload <= Bytes(0)) return transfer;
  transfer.wire = wire_bytes(payload, link.header);
  const Seconds handshake = (resumed ? 1.0 : 2.0) * link.rtt;
  transfer.lead =
      handshake + slow_start_delay(transfer.wire, bytes_per_second(transfer.bps), link.rtt);
  return transfer;
}

}  // namespace skiff
