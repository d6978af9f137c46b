// "8 GiB", "10 min", "20 Mbps", "2 kJ", "15%": values with a unit, as users write them.
// MB = 10^6, MiB = 2^20, b = bit, B = byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skiff {

enum class Dimension { kBytes, kRate, kTime, kEnergy, kPower, kHazard, kFlopRate };

struct Measure {
  double value = 0;     // in the SI unit: B, B/s, s, J, W, 1/s, flop/s
  std::string problem;  // what is wrong, in the user's words; empty = fine
};

// `example`: a unit to suggest where it is missing ("min").
Measure parse_measure(std::string_view text, Dimension dimension, std::string_view example = "");

// A plain number by YAML 1.2: 1, -2.5, 1e-3. Empty if it is not one.
std::optional<double> parse_number(std::string_view text);

// The shortest text with the dimension's unit that reads back: "600 s", "20 Mbps".
std::string print_measure(double value, Dimension dimension);

}  // namespace skiff
