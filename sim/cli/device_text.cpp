#include "sim/cli/device_text.h"

#include <fmt/format.h>

#include "devices/memory.h"
#include "sim/cli/table.h"
#include "sim/record/human.h"

namespace skiff::cli {
namespace {

template <class T>
std::string value_text(const T& value) {
  return print_value(value);
}
std::string value_text(Bytes value) { return human(value); }
std::string value_text(BytesPerSecond value) {  // of memory and flash; links are counted in bits
  return fmt::format("{:.4g} GB/s", value.value() / 1e9);
}

template <class T>
void add(TextTable& table, const std::string& what, const Sourced<T>& number) {
  table.add({"  " + what, value_text(number.value), print_value(number.confidence), number.source});
}

void add_processor(TextTable& table, const std::string& name, const ProcessorProfile& p) {
  if (p.fp32) add(table, name + " fp32 peak", *p.fp32);
  if (p.fp16) add(table, name + " fp16 peak", *p.fp16);
  if (p.int8) add(table, name + " int8 peak", *p.int8);
  add(table, name + " efficiency, training", p.training);
  add(table, name + " efficiency, inference", p.inference);
  add(table, name + " batch of half efficiency", p.half_batch);
  add(table, name + " launch overhead", p.launch);
  add(table, name + " energy", p.energy);
}

}  // namespace

std::string device_text(const DeviceProfile& d) {
  TextTable table({"  number", "value", "confidence", "source"});
  add(table, "RAM", d.memory.ram);
  add(table, "usable in the foreground", d.memory.foreground);
  add(table, "usable in the background", d.memory.background);
  add(table, "runtime reserve", d.memory.runtime);
  add(table, "memory bandwidth", d.memory.bandwidth);
  add(table, "memory efficiency", d.memory.efficiency);
  add(table, "memory energy", d.memory.energy);
  add_processor(table, "CPU", d.cpu);
  if (d.gpu) add_processor(table, "GPU", *d.gpu);
  if (d.npu) add_processor(table, "NPU", *d.npu);
  add(table, "flash read", d.flash.read);
  add(table, "flash write", d.flash.write);
  add(table, "flash budget", d.flash.budget);
  add(table, "idle power", d.power.idle);
  add(table, "peak power", d.power.peak);
  add(table, "sustained power", d.power.sustained);
  if (d.battery) {
    add(table, "battery", d.battery->capacity);
    add(table, "charging power", d.battery->charge_power);
  }
  add(table, "links", d.links);
  return fmt::format("{} (device): {}\n  may take {} in the background, {} in the foreground\n{}",
                     d.name, d.about, human(background_memory(d)), human(foreground_memory(d)),
                     table.aligned());
}

}  // namespace skiff::cli
