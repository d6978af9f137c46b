#include "sim/federation/device_book.h"

namespace skiff {

DeviceRecord& DeviceBook::at(std::uint32_t device) {
  std::uint32_t& index = record_of_[device];
  if (index == kUntouched) {
    index = static_cast<std::uint32_t>(records_.size());
    const Device d = fleet_[device];
    DeviceRecord& record = records_.emplace_back(
        DeviceRecord{.device = d, .battery = Battery(d.battery, d.battery_start, VirtualTime{})});
    PowerByCause load;
    load[EnergyCause::kIdle] = record.idle_power();
    record.battery.set_load(load, VirtualTime{});
  }
  return records_[index];
}

}  // namespace skiff
