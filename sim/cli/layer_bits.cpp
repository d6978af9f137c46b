#include "sim/cli/layer_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "algorithms/layer_targets.h"
#include "algorithms/quantization/bit_allocation.h"
#include "sim/cli/assemble_steps.h"
#include "sim/cli/candidates.h"
#include "sim/core/parse_units.h"

namespace skiff {
namespace {

using LayerBits = std::map<std::string, int>;  // of each layer that is coded

double bits_of(const Node& row) {
  const Node* bits = row.find("bits");
  return bits != nullptr ? parse_number(bits->text).value_or(0) : 0;
}

// The scenario's quantizer with these bits, for all of its targets or for these layers.
std::shared_ptr<const Compressor> quantizer(const Scenario& s, int bits,
                                            const std::vector<std::string>& layers = {}) {
  Node map = s.compression.quantization->compressor.node;
  map.set("bits", Node::scalar(std::to_string(bits)));
  if (!layers.empty()) {
    Node targets;
    targets.kind = Node::Kind::kList;
    for (const std::string& layer : layers) targets.items.push_back(Node::scalar(layer));
    map.set("targets", std::move(targets));
  }
  Reader reader;
  auto made = Registry<Compressor>::instance().make(map, reader, {"at", "rest"});
  if (!reader.ok()) {
    refuse(s, "compression.planner.choices.bits", reader.problems().front().message);
  }
  return made;
}

void check(const Scenario& s, const FederationSetup& setup, const std::vector<Node>& rows) {
  const char* key = "compression.planner.per_layer";
  if (!s.compression.quantization ||
      std::any_of(rows.begin(), rows.end(), [](const Node& r) { return bits_of(r) == 0; })) {
    refuse(s, key, "spends bits, and there is no quantizer that has them");
  }
  const auto& chosen = s.compression.quantization->compressor;
  const Node* allocation = chosen.node.find("allocation");
  if (allocation != nullptr && allocation->text == "dynamic") {
    refuse(s, key, "the quantizer allocates by itself: write allocation: uniform");
  }
  if (chosen.object->training() != nullptr &&
      setup.composition.global().parametrization == chosen.object->training()) {
    refuse(s, key, "devices train these codes, all of one number of bits: remove it");
  }
}

// "model.layers.12.mlp.up_proj" is number 12 of "model.layers.#.mlp.up_proj"; -1: no number.
struct Numbered {
  std::string kind;
  int number = -1;
};
Numbered numbered(const std::string& layer) {
  for (std::size_t at = 0; at < layer.size();) {
    const std::size_t end = std::min(layer.find('.', at), layer.size());
    const std::string word = layer.substr(at, end - at);
    const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    if (!word.empty() && word.size() < 6 && std::all_of(word.begin(), word.end(), digit)) {
      return {layer.substr(0, at) + "#" + layer.substr(end), std::stoi(word)};
    }
    at = end + 1;
  }
  return {layer, -1};
}

// The bits of a model of these layers, from those of a model of other depth.
LayerBits at_same_depth(const LayerBits& from, const std::vector<std::string>& layers,
                        int otherwise) {
  std::map<std::string, int> depth, of;  // by kind: how many there are
  std::map<std::pair<std::string, int>, int> known;
  for (const auto& [layer, bits] : from) {
    const Numbered n = numbered(layer);
    known[{n.kind, n.number}] = bits;
    of[n.kind] = std::max(of[n.kind], n.number + 1);
  }
  for (const std::string& layer : layers) {
    const Numbered n = numbered(layer);
    depth[n.kind] = std::max(depth[n.kind], n.number + 1);
  }
  LayerBits bits;
  for (const std::string& layer : layers) {
    const Numbered n = numbered(layer);
    const int number = n.number < 0 ? -1 : n.number * of[n.kind] / depth[n.kind];
    const auto found = known.find({n.kind, number});
    bits[layer] = found != known.end() ? found->second : otherwise;
  }
  return bits;
}

// One quantizer for each number of bits, in the place of the one for all.
void put_quantizers(const Scenario& s, const LayerBits& bits, Plan& plan) {
  std::map<int, std::vector<std::string>> layers;
  for (const auto& [layer, count] : bits) layers[count].push_back(layer);
  std::vector<std::shared_ptr<const Compressor>> made;
  for (const auto& [count, names] : layers) made.push_back(quantizer(s, count, names));
  const bool end = s.compression.quantization->at == "end";
  auto& list = end ? plan.at_end : plan.compressors;
  const auto first =
      std::find_if(list.begin(), list.end(), [](const auto& c) { return !c->removes_weights(); });
  SKIFF_CHECK(first != list.end(), "a plan with bits and without a quantizer");
  const auto at = first - list.begin();
  list.erase(first);
  list.insert(list.begin() + at, made.begin(), made.end());
  if (!end)
    plan.when.insert(plan.when.begin() + at, made.size() - 1,
                     plan.when[static_cast<std::size_t>(at)]);
}

std::vector<std::string> names_of(const Layout& layout, const std::vector<bool>& coded) {
  std::vector<std::string> names;
  for (std::size_t t = 0; t < coded.size(); ++t) {
    if (coded[t]) names.push_back(layer_of(layout.slices[t]));
  }
  return names;
}

// What the layers of a pruned or whole model have to choose from.
struct Menu {
  std::vector<std::string> layers;
  std::vector<std::vector<AllocationOption>> options;  // by layer, by bits
  std::vector<double> sizes;                           // weights, by layer
  std::vector<double> bytes;                           // of all layers alike, by bits
};

class Spender {
 public:
  Spender(const Scenario& s, const Composition& composition, const std::vector<Node>& rows,
          CandidateLosses& losses)
      : s_(s), composition_(composition), losses_(losses) {
    std::set<int> all;
    for (const Node& row : rows) {
      all.insert(
          {static_cast<int>(std::floor(bits_of(row))), static_cast<int>(std::ceil(bits_of(row)))});
    }
    for (const int bits : all) bits_.emplace_back(bits, quantizer(s, bits));
  }

  Menu menu(const Node& row, const Plan& plan) {
    Shape before = dense_shape(composition_.architecture(plan).layout());
    for (const auto& c : plan.compressors) {
      if (c->removes_weights()) before = c->shape(before);
    }
    const Layout& layout = *before.layout;
    const std::vector<bool> coded = coded_slices(*bits_.front().second, before);
    Menu menu{names_of(layout, coded), {}, {}, {}};
    menu.options.resize(menu.layers.size());
    for (const auto& [bits, coder] : bits_) {
      Node as_row = row;
      as_row.set("bits", Node::scalar(std::to_string(bits)));
      Plan alike = plan;
      replace(alike, coder);
      const std::vector<double>& growth = losses_.by_slice(as_row, alike);
      const Shape after = coder->shape(before);
      double sum = 0;
      for (std::size_t t = 0, l = 0; t < coded.size(); ++t) {
        if (!coded[t]) continue;
        const auto bytes = static_cast<double>(after.tensors[t].stored.value());
        menu.options[l++].push_back({bytes, growth[t]});
        sum += bytes;
      }
      menu.bytes.push_back(sum);
    }
    for (std::size_t t = 0; t < coded.size(); ++t) {
      if (coded[t]) menu.sizes.push_back(static_cast<double>(layout.slices[t].size()));
    }
    return menu;
  }

  // The bytes of so many bits in every layer.
  double budget(const Menu& menu, double bits) const {
    std::size_t low = 0;
    while (low + 1 < bits_.size() && bits_[low + 1].first <= bits) ++low;
    const double share = bits - bits_[low].first;
    if (share <= 0) return menu.bytes[low];
    const double gap = bits_[low + 1].first - bits_[low].first;
    return menu.bytes[low] + (menu.bytes[low + 1] - menu.bytes[low]) * share / gap;
  }
  int option(int index) const { return bits_[static_cast<std::size_t>(index)].first; }

 private:
  void replace(Plan& plan, const std::shared_ptr<const Compressor>& coder) const {
    auto& list = s_.compression.quantization->at == "end" ? plan.at_end : plan.compressors;
    *std::find_if(list.begin(), list.end(), [](const auto& c) { return !c->removes_weights(); }) =
        coder;
  }

  const Scenario& s_;
  const Composition& composition_;
  CandidateLosses& losses_;
  std::vector<std::pair<int, std::shared_ptr<const Compressor>>> bits_;  // ascending
};

struct Spent {
  LayerBits bits;
  double growth = 0, mean = 0;
};

Spent spend(const Menu& menu, const Spender& spender, double budget) {
  const Allocation best = allocate(menu.options, budget);
  Spent spent;
  spent.growth = best.value;
  double weights = 0;
  for (std::size_t l = 0; l < menu.layers.size(); ++l) {
    const int bits = spender.option(best.choice[l]);
    spent.bits[menu.layers[l]] = bits;
    spent.mean += bits * menu.sizes[l];
    weights += menu.sizes[l];
  }
  spent.mean /= weights;
  return spent;
}

}  // namespace

std::vector<std::optional<double>> spend_by_layer(const Scenario& s, FederationSetup& setup,
                                                  const std::vector<Node>& rows,
                                                  CandidateLosses& losses) {
  check(s, setup, rows);
  Spender spender(s, setup.composition, rows, losses);
  std::map<std::string, Spent> known;  // by bits and sparsity
  auto charged =
      setup.deployed != nullptr ? std::make_shared<Composition>(*setup.deployed) : nullptr;
  std::vector<std::optional<double>> growth;
  for (std::size_t p = 0; p < rows.size(); ++p) {
    Plan& plan = setup.composition.plans[p];
    const Node* sparsity = rows[p].find("sparsity");
    const std::string key =
        rows[p].find("bits")->text + " " + (sparsity != nullptr ? sparsity->text : "");
    if (known.find(key) == known.end()) {
      const Menu menu = spender.menu(rows[p], plan);
      known[key] = spend(menu, spender, spender.budget(menu, bits_of(rows[p])));
    }
    const Spent& spent = known[key];
    growth.emplace_back(spent.growth);
    if (charged != nullptr) {
      Plan& paid = charged->plans[p];
      const Shape whole = dense_shape(charged->architecture(paid).layout());
      const auto bits = static_cast<int>(std::ceil(bits_of(rows[p])));
      const std::vector<bool> coded = coded_slices(*quantizer(s, bits), whole);
      put_quantizers(s, at_same_depth(spent.bits, names_of(*whole.layout, coded), bits), paid);
    }
    put_quantizers(s, spent.bits, plan);
    Node row = rows[p];
    row.set("bits", Node::scalar(fmt::format("{:.2f} by layer", spent.mean)));
    plan.name = candidate_name(row);
    if (charged != nullptr) charged->plans[p].name = plan.name;
  }
  setup.deployed = charged;
  return growth;
}

}  // namespace skiff
