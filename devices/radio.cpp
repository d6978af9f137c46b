#include "devices/radio.h"

namespace skiff {

RadioCost radio_cost(const RadioProfile& radio, Bytes up, Bytes down, Seconds duration,
                     Seconds since_last) {
  RadioCost cost;
  if (up + down == Bytes(0)) return cost;
  cost.transfer =
      radio.upload.value * up + radio.download.value * down + radio.base.value * duration;
  cost.tail = radio.tail_power.value * radio.tail_time.value;
  if (since_last < radio.tail_time.value) {
    cost.tail -= radio.tail_power.value * (radio.tail_time.value - since_last);
  } else {
    cost.promotion = radio.promotion_power.value * radio.promotion_time.value;
  }
  return cost;
}

}  // namespace skiff
