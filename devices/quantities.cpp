#include "devices/quantities.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <span>

namespace skiff {
namespace {

struct Unit {
  std::string_view symbol;
  double factor;  // to J/B, or J per operation
};
constexpr Unit kPerByte[] = {{"pJ/B", 1e-12},   {"nJ/B", 1e-9},         {"uJ/B", 1e-6},
                             {"pJ/bit", 8e-12}, {"nJ/bit", 8e-9},       {"uJ/bit", 8e-6},
                             {"J/B", 1},        {"mW/Mbps", 1 / 125e6}, {"W/Mbps", 1 / 125e3}};
constexpr Unit kPerFlop[] = {
    {"pJ/FLOP", 1e-12}, {"nJ/FLOP", 1e-9}, {"pJ/OP", 1e-12}, {"nJ/OP", 1e-9}, {"J/FLOP", 1}};

bool read(const Node& node, std::span<const Unit> units, const char* example, double& out,
          const Rules& rules, Reader& reader) {
  const std::string expected = fmt::format("an energy such as \"{}\"", example);
  if (!node.is_scalar()) return detail::expected(node, expected, reader), false;
  double value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [rest, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc() || !std::isfinite(value)) {
    return detail::expected(node, expected, reader), false;
  }
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& u : units) {
    if (u.symbol != unit) continue;
    const double joules = value * u.factor;
    if (joules < rules.least || (rules.above && joules == rules.least) || joules > rules.most) {
      reader.problem(node.where, fmt::format("\"{}\" is not {} {}", node.text,
                                             rules.above ? "above" : "at least", rules.least));
      return false;
    }
    out = joules;
    return true;
  }
  std::string all;
  for (const Unit& u : units) all += (all.empty() ? "" : ", ") + std::string(u.symbol);
  reader.problem(node.where, unit.empty() ? fmt::format("\"{}\" needs a unit: {}", node.text, all)
                                          : fmt::format("\"{}\": unknown unit \"{}\"; expected {}",
                                                        node.text, unit, all));
  return false;
}

}  // namespace

bool convert(const Node& node, JoulesPerByte& out, const Rules& rules, Reader& reader) {
  double value = 0;
  if (!read(node, kPerByte, "60 pJ/B", value, rules, reader)) return false;
  out = JoulesPerByte(value);
  return true;
}

bool convert(const Node& node, JoulesPerFlop& out, const Rules& rules, Reader& reader) {
  double value = 0;
  if (!read(node, kPerFlop, "40 pJ/FLOP", value, rules, reader)) return false;
  out = JoulesPerFlop(value);
  return true;
}

std::string print_value(JoulesPerByte e) { return fmt::format("{:.6g} pJ/B", e.value() * 1e12); }
std::string print_value(JoulesPerFlop e) { return fmt::format("{:.6g} pJ/FLOP", e.value() * 1e12); }

}  // namespace skiff
