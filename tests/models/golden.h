// The cases of the files of goldens: losses, logits, and every stride-th component of a gradient.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace skiff::testing {

struct Golden {
  double loss = 0, norm = 0;
  std::size_t stride = 0, size = 0;
  std::vector<double> logits, gradient;
};

inline std::vector<double> rest(std::istream& line) {
  std::vector<double> values;
  for (double v; line >> v;) values.push_back(v);
  return values;
}

inline Golden read_golden(const std::string& file_name, const std::string& name) {
  const char* root = std::getenv("SKIFF_SOURCE");
  std::ifstream file(std::string(root == nullptr ? "." : root) + "/tests/models/" + file_name);
  Golden golden;
  std::string text, word;
  for (bool here = false; std::getline(file, text);) {
    std::istringstream line(text);
    line >> word;
    if (word == "case") {
      line >> word;
      here = word == name;
    } else if (here && word == "loss") {
      line >> golden.loss;
    } else if (here && word == "logits") {
      golden.logits = rest(line);
    } else if (here && word == "stride") {
      line >> golden.stride >> word >> golden.size >> word >> golden.norm;
    } else if (here && word == "gradient") {
      golden.gradient = rest(line);
    }
  }
  return golden;
}

}  // namespace skiff::testing
