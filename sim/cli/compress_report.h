// What `skiff compress` says of its work: layers, totals, losses, as JSON and as lines of text.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "algorithms/model.h"

namespace skiff::cli {

// Tensors that are stored otherwise than before.
std::vector<std::size_t> changed_tensors(const Model& before, const Model& after);
// |What - W|^2 / |W|^2 of one of them; what was cut out counts as 0.
double tensor_error(const Model& before, const Model& after, std::size_t tensor);
// Of each of them: format, shape, bits a value that is stored, error.
nlohmann::ordered_json layer_report(const Model& before, const Model& after);
// bits_per_weight of all of them, of what there was before, bytes of the model before and after.
void add_totals(nlohmann::ordered_json& out, const Model& before, const Model& after);
void print_report(const nlohmann::ordered_json& out);
// The most memory that this process has held.
double peak_bytes();

}  // namespace skiff::cli
