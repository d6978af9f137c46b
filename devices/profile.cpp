#include "devices/profile.h"

namespace skiff {
namespace {

Schema<MemoryProfile> memory_schema() {
  Schema<MemoryProfile> s;
  s.field("ram", &MemoryProfile::ram, "physical memory").required().above(0);
  s.field("foreground", &MemoryProfile::foreground, "share of ram for an app in the foreground")
      .required()
      .fraction();
  s.field("background", &MemoryProfile::background, "share of ram for work in the background")
      .required()
      .fraction();
  s.field("runtime", &MemoryProfile::runtime, "what an empty training process takes")
      .required()
      .at_least(0);
  s.field("bandwidth", &MemoryProfile::bandwidth, "peak of the memory bus").required().above(0);
  s.field("efficiency", &MemoryProfile::efficiency, "share of the peak that kernels reach")
      .required()
      .above(0)
      .fraction(0, 1);
  s.field("energy", &MemoryProfile::energy, "of DRAM traffic").required().at_least(0);
  return s;
}

Schema<ProcessorProfile> processor_schema() {
  using P = ProcessorProfile;
  Schema<P> s;
  s.field("fp32", &P::fp32, "peak rate, 32-bit floats").required().above(0).or_word("none");
  s.field("fp16", &P::fp16, "peak rate, 16-bit floats").required().above(0).or_word("none");
  s.field("int8", &P::int8, "peak rate, 8-bit integers").required().above(0).or_word("none");
  s.field("inference", &P::inference, "share of the peak in forward passes")
      .required()
      .above(0)
      .fraction(0, 1);
  s.field("training", &P::training, "share of the peak in training steps")
      .required()
      .above(0)
      .fraction(0, 1);
  s.field("half_batch", &P::half_batch, "samples a step of half efficiency").required().at_least(0);
  s.field("launch", &P::launch, "overhead of one batch of kernels").required().at_least(0);
  s.field("energy", &P::energy, "of one operation at the widest precision it has")
      .required()
      .at_least(0);
  return s;
}

Schema<FlashProfile> flash_schema() {
  Schema<FlashProfile> s;
  s.field("read", &FlashProfile::read, "sequential").required().above(0);
  s.field("write", &FlashProfile::write, "sequential").required().above(0);
  s.field("read_energy", &FlashProfile::read_energy, "").required().at_least(0);
  s.field("write_energy", &FlashProfile::write_energy, "").required().at_least(0);
  s.field("budget", &FlashProfile::budget, "what an app may keep").required().at_least(0);
  return s;
}

Schema<PowerProfile> power_schema() {
  Schema<PowerProfile> s;
  s.field("idle", &PowerProfile::idle, "screen off, radios idle").required().at_least(0);
  s.field("peak", &PowerProfile::peak, "of the whole device").required().above(0);
  s.field("sustained", &PowerProfile::sustained, "what the chassis sheds").required().above(0);
  s.check([](const PowerProfile& p, const Node& map, Reader& reader) {
    if (p.idle.value >= p.peak.value) reader.problem(map.where, "idle is not below peak");
    if (p.sustained.value > p.peak.value) reader.problem(map.where, "sustained is above peak");
  });
  return s;
}

Schema<BatteryProfile> battery_schema() {
  Schema<BatteryProfile> s;
  s.field("capacity", &BatteryProfile::capacity, "when new").required().above(0).unit("Wh");
  s.field("charge_power", &BatteryProfile::charge_power, "from the plug").required().above(0);
  s.field("charge_efficiency", &BatteryProfile::charge_efficiency, "share that is stored")
      .required()
      .above(0)
      .fraction(0, 1);
  return s;
}

Schema<RadioProfile> radio_schema() {
  using R = RadioProfile;
  Schema<R> s;
  s.field("upload", &R::upload, "slope of power in the upload rate").required().at_least(0);
  s.field("download", &R::download, "slope of power in the download rate").required().at_least(0);
  s.field("base", &R::base, "power while transferring").required().at_least(0);
  s.field("promotion_time", &R::promotion_time, "from idle to ready").required().at_least(0);
  s.field("promotion_power", &R::promotion_power, "meanwhile").required().at_least(0);
  s.field("tail_time", &R::tail_time, "from the last byte to idle").required().at_least(0);
  s.field("tail_power", &R::tail_power, "meanwhile").required().at_least(0);
  return s;
}

template <class P>
bool read_section(const Schema<P>& fields, const Node& node, P& out, Reader& reader) {
  const std::size_t before = reader.problems().size();
  fields.read(node, out, reader);
  return reader.problems().size() == before;
}

}  // namespace

bool convert(const Node& node, ProcessorProfile& out, const Rules&, Reader& reader) {
  static const Schema<ProcessorProfile> fields = processor_schema();
  return read_section(fields, node, out, reader);
}

bool convert(const Node& node, BatteryProfile& out, const Rules&, Reader& reader) {
  static const Schema<BatteryProfile> fields = battery_schema();
  return read_section(fields, node, out, reader);
}

std::string print_value(const ProcessorProfile& p) { return processor_schema().print(p); }
std::string print_value(const BatteryProfile& b) { return battery_schema().print(b); }

template <>
Schema<DeviceProfile> schema<DeviceProfile>() {
  using D = DeviceProfile;
  Schema<D> s;
  s.field("about", &D::about, "what it is, in one line").required();
  s.section("memory", &D::memory, memory_schema(), "").required();
  s.section("cpu", &D::cpu, processor_schema(), "").required();
  s.field("gpu", &D::gpu, "as cpu, or none").required().or_word("none");
  s.field("npu", &D::npu, "as cpu, or none").required().or_word("none");
  s.section("flash", &D::flash, flash_schema(), "").required();
  s.section("power", &D::power, power_schema(), "").required();
  s.field("battery", &D::battery, "capacity, charge_power, charge_efficiency; or mains")
      .required()
      .or_word("mains");
  s.field("links", &D::links, "share of devices by access link").required().above(0).fraction();
  s.check([](const D& d, const Node& map, Reader& reader) {
    if (!d.cpu.fp32) reader.problem(map.where, "a cpu needs fp32");
    if (d.links.value.empty()) reader.problem(map.where, "at least one link is needed");
  });
  return s;
}

template <>
Schema<LinkProfile> schema<LinkProfile>() {
  using L = LinkProfile;
  Schema<L> s;
  s.field("about", &L::about, "what it is, in one line").required();
  s.field("metered", &L::metered, "whether its owner pays by the byte").required();
  s.field("download", &L::download, "median over devices").required().above(0);
  s.field("upload", &L::upload, "median over devices").required().above(0);
  s.field("spread", &L::spread, "sigma of ln(rate) over devices").required().in(0, 5);
  s.field("rtt", &L::rtt, "round trip to the server").required().above(0);
  s.field("header", &L::header, "bytes of headers per byte of payload").required().fraction();
  s.section("radio", &L::radio, radio_schema(), "").required();
  return s;
}

const std::optional<Sourced<FlopsPerSecond>>& ProcessorProfile::peak(Precision precision) const {
  switch (precision) {
    case Precision::kFp32:
      return fp32;
    case Precision::kFp16:
      return fp16;
    case Precision::kInt8:
      return int8;
  }
  return fp32;
}

const ProcessorProfile* DeviceProfile::processor(Processor which) const {
  switch (which) {
    case Processor::kCpu:
      return &cpu;
    case Processor::kGpu:
      return gpu ? &*gpu : nullptr;
    case Processor::kNpu:
      return npu ? &*npu : nullptr;
  }
  return nullptr;
}

}  // namespace skiff
