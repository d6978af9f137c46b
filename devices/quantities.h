// Energy per byte moved and per operation: what profiles of devices and radios are written in.
//
// A radio's slope of "mW per Mbps" is an energy per byte too (1 mW/Mbps = 8 nJ/B), so a transfer's
// energy needs its size and its duration, not the course of its rate. Value types, thread-safe.
#pragma once

#include <string>

#include "sim/core/convert.h"
#include "sim/core/units.h"

namespace skiff {

using JoulesPerByte = Quantity<struct EnergyPerByteDimension>;
using JoulesPerFlop = Quantity<struct EnergyPerFlopDimension>;

constexpr Joules operator*(JoulesPerByte e, Bytes b) { return Joules(e.value() * as_double(b)); }
constexpr Joules operator*(JoulesPerFlop e, Flops f) { return Joules(e.value() * f.value()); }

// "60 pJ/B", "60 pJ/bit", "80.21 mW/Mbps"; "40 pJ/FLOP", "0.6 pJ/OP".
bool convert(const Node&, JoulesPerByte& out, const Rules&, Reader&);
bool convert(const Node&, JoulesPerFlop& out, const Rules&, Reader&);
std::string print_value(JoulesPerByte);
std::string print_value(JoulesPerFlop);

template <>
struct TypeName<JoulesPerByte> {
  static std::string get() { return "energy per byte"; }
};
template <>
struct TypeName<JoulesPerFlop> {
  static std::string get() { return "energy per operation"; }
};

}  // namespace skiff
