#include "algorithms/layer_targets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace skiff {
namespace {

// Looked up by row, or the last layer: more is lost there than is won.
bool is_end(const std::string& layer) {
  for (const char* word : {"embed", "cls_token", "token_type"}) {
    if (layer.find(word) != std::string::npos) return true;
  }
  const std::string last = layer.substr(layer.rfind('.') + 1);
  for (const char* word : {"lm_head", "output", "classifier", "decoder", "score"}) {
    if (last == word) return true;
  }
  return false;
}

}  // namespace

std::string layer_of(const Slice& slice) { return slice.name.substr(0, slice.name.rfind('.')); }

namespace {

bool is_linear(const Slice& slice) { return slice.is_matrix() && !is_end(layer_of(slice)); }

std::vector<std::size_t> all_but_linear(const Layout& layout) {
  std::vector<std::size_t> found;
  for (std::size_t t = 0; t < layout.slices.size(); ++t) {
    if (!is_linear(layout.slices[t])) found.push_back(t);
  }
  return found;
}

}  // namespace

std::vector<std::size_t> LayerTargets::of(const Layout& layout) const {
  if (rest) return all_but_linear(layout);
  std::vector<std::size_t> found;
  std::vector<bool> named(names.size());
  std::vector<std::string> layers;
  for (std::size_t t = 0; t < layout.slices.size(); ++t) {
    const Slice& slice = layout.slices[t];
    if (!slice.is_matrix()) continue;
    const std::string layer = layer_of(slice);
    layers.push_back(layer);
    bool wanted = all_linear && is_linear(slice);
    for (std::size_t n = 0; n < names.size() && !all_linear; ++n) {
      if (layer != names[n] && !layer.ends_with("." + names[n])) continue;
      wanted = named[n] = true;
    }
    if (wanted) found.push_back(t);
  }
  for (std::size_t n = 0; n < names.size(); ++n) {
    if (named[n]) continue;
    throw std::invalid_argument(
        fmt::format("no layer \"{}\" in the model; it has {}", names[n], fmt::join(layers, ", ")));
  }
  if (found.empty()) {
    throw std::invalid_argument(fmt::format(
        "the model has no linear layer but its ends; name them: [{}]", fmt::join(layers, ", ")));
  }
  return found;
}

bool convert(const Node& node, LayerTargets& out, const Rules& rules, Reader& reader) {
  if (node.is_scalar() && !rules.none_word.empty() && node.text == rules.none_word) {
    out = {false, {}, true};
    return true;
  }
  if (node.is_scalar() && node.text == "linear") {
    out = {};
    return true;
  }
  if (node.is_scalar()) {
    reader.problem(node.where, fmt::format("expected linear or a list of layers, found \"{}\"; "
                                           "write [{}]",
                                           node.text, node.text));
    return false;
  }
  std::vector<std::string> names;
  if (!convert(node, names, Rules{}, reader)) return false;
  if (names.empty()) return reader.problem(node.where, "names no layer"), false;
  out = {false, std::move(names), false};
  return true;
}

std::string print_value(const LayerTargets& targets) {
  if (targets.rest) return "rest";
  return targets.all_linear ? "linear" : print_value(targets.names);
}

}  // namespace skiff
