// What changes about devices: batteries, radios, what they hold, what they have done so far.
//
// Only devices that were ever selected have a record; the others cost four bytes. Between attempts
// a device idles: its battery is brought up to date when it is looked at. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "devices/battery.h"
#include "devices/population.h"
#include "sim/record/rows.h"

namespace skiff {

struct DeviceRecord {
  Device device;
  Battery battery;
  VirtualTime last_transfer_end = kNever;        // kNever: the radio is cold
  std::int64_t held_base = -1, held_model = -1;  // keys of the sections that it holds
  bool busy = false;
  std::uint32_t attempts = 0, accepted = 0;
  Bytes bytes_down, bytes_up;
  Joules energy;
  Bytes peak_memory;

  Watts idle_power() const { return device.profile->power.idle.value; }
};

class DeviceBook {
 public:
  explicit DeviceBook(const Fleet& fleet) : fleet_(fleet), record_of_(fleet.size(), kUntouched) {}

  // Made on first touch, as if the device had idled since time zero.
  DeviceRecord& at(std::uint32_t device);
  const DeviceRecord* find(std::uint32_t device) const {
    return record_of_[device] == kUntouched ? nullptr : &records_[record_of_[device]];
  }
  const Fleet& fleet() const { return fleet_; }
  const std::deque<DeviceRecord>& touched() const { return records_; }

 private:
  static constexpr std::uint32_t kUntouched = std::numeric_limits<std::uint32_t>::max();
  const Fleet& fleet_;
  std::vector<std::uint32_t> record_of_;
  std::deque<DeviceRecord> records_;
};

}  // namespace skiff
