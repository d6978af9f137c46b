// What a class of devices and a kind of link are: the typed form of devices/profiles/*.yaml.
//
// Every number carries its source and a confidence. Rates are peaks of the hardware; what software
// reaches of them are the efficiencies. `usable` fractions of RAM are an operating system's policy
// for an application in the foreground, or working in the background as federated learning does.
// Plain values, immutable once read, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "devices/quantities.h"
#include "devices/sourced.h"
#include "sim/core/schema.h"

namespace skiff {

enum class Processor : std::uint8_t { kCpu, kGpu, kNpu };
enum class Precision : std::uint8_t { kFp32, kFp16, kInt8 };  // of the arithmetic
inline constexpr std::size_t kPrecisions = 3;

using LinkWeights = std::vector<std::pair<std::string, double>>;  // link -> share of devices

struct MemoryProfile {
  Sourced<Bytes> ram;
  Sourced<double> foreground;  // usable fraction of ram
  Sourced<double> background;
  Sourced<Bytes> runtime;             // R0: what an empty training process takes
  Sourced<BytesPerSecond> bandwidth;  // of DRAM, peak
  Sourced<double> efficiency;         // share of the peak that kernels reach
  Sourced<JoulesPerByte> energy;      // of DRAM traffic
};

// A processor. A precision it cannot compute in is absent.
struct ProcessorProfile {
  std::optional<Sourced<FlopsPerSecond>> fp32, fp16, int8;  // peaks
  Sourced<double> inference;                                // efficiency of forward passes
  Sourced<double> training;                                 // efficiency of training steps
  Sourced<double> half_batch;     // samples a step at which half the efficiency is reached
  Sourced<Seconds> launch;        // overhead of starting one batch of kernels
  Sourced<JoulesPerFlop> energy;  // per operation, at the first precision it has

  const std::optional<Sourced<FlopsPerSecond>>& peak(Precision precision) const;
};

struct FlashProfile {
  Sourced<BytesPerSecond> read, write;
  Sourced<JoulesPerByte> read_energy, write_energy;
  Sourced<Bytes> budget;  // what an application may keep there
};

struct PowerProfile {
  Sourced<Watts> idle;       // screen off, radios idle
  Sourced<Watts> peak;       // of the whole device
  Sourced<Watts> sustained;  // what the chassis sheds for ever
};

struct BatteryProfile {
  Sourced<Joules> capacity;           // when new
  Sourced<Watts> charge_power;        // from the plug
  Sourced<double> charge_efficiency;  // of that, what the cells store
};

struct DeviceProfile {
  std::string name;   // "iphone-15-pro"
  std::string about;  // one line
  MemoryProfile memory;
  ProcessorProfile cpu;
  std::optional<ProcessorProfile> gpu, npu;
  FlashProfile flash;
  PowerProfile power;
  std::optional<BatteryProfile> battery;  // absent: on mains
  Sourced<LinkWeights> links;             // default mix of access links
  Location where;                         // of its name in the catalogue

  const ProcessorProfile* processor(Processor which) const;  // null if the device has none
};

// Power while transferring: base + slopes x rates; a promotion before, a tail after (Huang et al.,
// MobiSys 2012, section 4).
struct RadioProfile {
  Sourced<JoulesPerByte> upload, download;  // slopes
  Sourced<Watts> base;
  Sourced<Seconds> promotion_time;
  Sourced<Watts> promotion_power;
  Sourced<Seconds> tail_time;
  Sourced<Watts> tail_power;
};

struct LinkProfile {
  std::string name;  // "wifi"
  std::string about;
  bool metered = false;
  Sourced<BytesPerSecond> download, upload;  // medians over devices
  Sourced<double> spread;                    // sigma of the lognormal law over devices
  Sourced<Seconds> rtt;
  Sourced<double> header;  // bytes of headers per byte of payload
  RadioProfile radio;
  Location where;
};

bool convert(const Node&, ProcessorProfile& out, const Rules&, Reader&);
bool convert(const Node&, BatteryProfile& out, const Rules&, Reader&);
std::string print_value(const ProcessorProfile&);
std::string print_value(const BatteryProfile&);
template <>
struct TypeName<ProcessorProfile> {
  static std::string get() { return "map"; }
};
template <>
struct TypeName<BatteryProfile> {
  static std::string get() { return "map"; }
};

template <>
Schema<DeviceProfile> schema<DeviceProfile>();
template <>
Schema<LinkProfile> schema<LinkProfile>();

}  // namespace skiff
