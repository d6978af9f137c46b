// Symmetric Wanda: scores from both sides of a layer, and masks that are tuned afterwards. Yi and
// Richtarik 2025, "Symmetric pruning of large language models" (arXiv:2501.18980). The scores:
// scores.h; R2-DSnoT: dsnot.h; how layers share the sparsity: layer_balance.h.
//
// Defaults: score symmetric, |W_ij| (xn_j + yn_i) with both norms divided by their means, compared
// within a matrix. The paper leaves open what Y is; here yn_i is the norm of the layer's own output
// i on the calibration's inputs. What the paper measures is {score: ria, dsnot: true}.

#include <map>

#include "algorithms/pruning/dsnot.h"
#include "algorithms/pruning/layer_balance.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct SymmetricWandaParams : Removal {
  std::string score = "symmetric";
  double alpha = 0.5, norm = 1, sampled = 0.1;
  bool balanced = true;
  std::string layer_balance = "uniform";
  bool dsnot = false;
  std::string relative = "prune";
  double grow_penalty = 0, prune_penalty = 0, update_threshold = 0.1;
};

void check_symmetric(const SymmetricWandaParams& p, const Node& map, Reader& reader) {
  const bool pattern = pruning::pattern_of(p.structure).exists();
  const auto problem = [&](const char* key, const std::string& text) {
    const Reader::Scope scope(reader, key);
    const Node* written = map.find(key);
    reader.problem(written != nullptr ? written->where : map.where, text);
  };
  if (pattern && p.layer_balance != "uniform") {
    problem("layer_balance", p.structure + " removes half of every layer; write uniform");
  }
  if (pattern && p.dsnot) {
    problem("dsnot", "swaps entries of a whole row, and would break " + p.structure);
  }
  const SymmetricWandaParams d;
  const auto idle = [&](bool unread, const char* key, const char* by) {
    refuse_idle(unread, key, by, map, reader);
  };
  idle(!p.score.ends_with("ria") && p.alpha != d.alpha, "alpha", "score: ria, stochastic-ria");
  idle(p.score != "relative" && p.norm != d.norm, "norm", "score: relative");
  idle(p.score != "stochastic-ria" && p.sampled != d.sampled, "sampled", "score: stochastic-ria");
  idle(p.score != "symmetric" && p.balanced != d.balanced, "balanced", "score: symmetric");
  const bool masks_stay = !p.dsnot;
  idle(masks_stay && p.relative != d.relative, "relative", "dsnot: true");
  idle(masks_stay && p.grow_penalty != d.grow_penalty, "grow_penalty", "dsnot: true");
  idle(masks_stay && p.prune_penalty != d.prune_penalty, "prune_penalty", "dsnot: true");
  idle(masks_stay && p.update_threshold != d.update_threshold, "update_threshold", "dsnot: true");
}

}  // namespace

template <>
Schema<SymmetricWandaParams> schema() {
  using P = SymmetricWandaParams;
  Schema<P> s;
  add_removal(s, {"unstructured", "2-of-4", "4-of-8"});
  s.field("score", &P::score,
          "what a weight matters; relative and the ria ones are relative "
          "importances")
      .one_of({"symmetric", "symmetric-weights", "relative", "ria", "stochastic-ria"});
  s.field("alpha", &P::alpha, "power of the input norm, of scores ria and stochastic-ria").in(0, 4);
  s.field("norm", &P::norm, "p of the p-norms of score relative").in(1, 64);
  s.field("sampled", &P::sampled, "share of a row or column that score stochastic-ria adds up")
      .fraction()
      .above(0);
  s.field("balanced", &P::balanced, "score symmetric: both norms are divided by their means");
  s.field("layer_balance", &P::layer_balance, "which layers give how much")
      .one_of({"uniform", "global", "owl"});
  s.field("dsnot", &P::dsnot, "masks are tuned by swaps (R2-DSnoT)");
  s.field("relative", &P::relative,
          "where relative importance stands for the weight in a swap; none is DSnoT")
      .one_of({"none", "grow", "prune"});
  s.field("grow_penalty", &P::grow_penalty, "times w^2, added when an entry grows").in(0, 1e9);
  s.field("prune_penalty", &P::prune_penalty, "times w^2, added when an entry is pruned")
      .in(0, 1e9);
  s.field("update_threshold", &P::update_threshold, "a row with a smaller mean error stays")
      .in(0, 1e9);
  s.check(check_symmetric);
  return s;
}

namespace {

class SymmetricWanda final : public Compressor {
 public:
  explicit SymmetricWanda(const SymmetricWandaParams& p) : p_(p) {}

  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    std::map<std::string, std::int64_t> counts;
    if (p_.layer_balance != "uniform" && !pruning::chosen_before(memory, model, p_.targets)) {
      pruning::require_calibration(calibration, "symmetric-wanda");
      counts = balanced_counts(model, *calibration, stream);
    }
    const auto choose = [&](pruning::Layer& layer) {
      const auto given = counts.find(layer.name);
      pruning::Mask mask = given == counts.end()
                               ? pruning::choose(scores(layer), p_, pruning::Group::kMatrix, layer)
                               : pruning::lowest(scores(layer), given->second);
      if (p_.dsnot) pruning::refine(mask, layer, swaps());
      return mask;
    };
    pruning::prune_layers(model, calibration, p_.targets, memory, stream,
                          {"symmetric-wanda", needs_calibration(), choose, {}});
  }
  // With another layer_balance than uniform the total is exact, a layer's own share is not.
  Shape shape(const Shape& before) const override {
    return pruning::masked_targets(before, p_.targets, [&](const Slice& s) {
      return pruning::removed(p_, pruning::Group::kMatrix, s.rows, s.cols);
    });
  }
  Cost cost(const Shape& before) const override {
    const double outputs = p_.score == "symmetric" ? 1 : 0;  // w H w^T
    return pruning::walk_cost(
        before, p_.targets, [=](double r, double c) { return 8 * r * c + outputs * 2 * r * c * c; },
        [](double r, double c) { return 3 * r * c + c * c; });
  }
  bool needs_calibration() const override {
    return p_.dsnot || p_.layer_balance != "uniform" || p_.score == "symmetric" ||
           (p_.score.ends_with("ria") && p_.alpha != 0);
  }
  bool removes_weights() const override { return true; }
  bool size_depends_on_data() const override { return p_.layer_balance != "uniform"; }

 private:
  pruning::Scores scores(const pruning::Layer& layer) const {
    const pruning::MatrixOf w = layer.matrix();
    if (p_.score == "symmetric") {
      std::vector<double> xn = pruning::input_norms(*layer.inputs);
      std::vector<double> yn = pruning::output_norms(w, *layer.inputs);
      if (p_.balanced) pruning::divide_by_mean(xn);
      if (p_.balanced) pruning::divide_by_mean(yn);
      return pruning::symmetric(w, xn, yn);
    }
    if (p_.score == "symmetric-weights") return pruning::symmetric_weights(w);
    if (p_.score == "relative") return pruning::relative(w, pruning::inverse_norms(w, p_.norm));
    pruning::Scores scores = pruning::relative(
        w, p_.score == "ria" ? pruning::inverse_norms(w, 1)
                             : pruning::sampled_inverse_norms(w, p_.sampled, layer.stream));
    if (p_.alpha != 0) {
      pruning::activate(scores, layer.cols, pruning::input_norms(*layer.inputs), p_.alpha);
    }
    return scores;
  }

  pruning::Dsnot swaps() const {
    pruning::Dsnot d;
    d.relative = p_.relative == "none"   ? pruning::Relative::kNone
                 : p_.relative == "grow" ? pruning::Relative::kGrow
                                         : pruning::Relative::kPrune;
    d.alpha = d.relative == pruning::Relative::kNone ? 1 : 0.5;
    d.g1 = p_.grow_penalty;
    d.g2 = p_.prune_penalty;
    d.threshold = p_.update_threshold;
    return d;
  }

  // Scores of all layers on the dense model's inputs: wanda's for owl, as its paper has it.
  std::map<std::string, std::int64_t> balanced_counts(const Model& model,
                                                      const Calibration& calibration,
                                                      const Stream& stream) const {
    std::vector<pruning::BalancedMatrix> matrices;
    const auto look = [&](pruning::Layer& layer) {
      matrices.push_back(
          {layer.name, p_.layer_balance == "owl"
                           ? pruning::wanda(layer.matrix(), pruning::input_norms(*layer.inputs))
                           : scores(layer)});
      return pruning::Mask(layer.weights.size());  // nothing goes yet
    };
    Model looked_at = model;
    State none;
    pruning::prune_layers(looked_at, &calibration, p_.targets, none, stream,
                          {"symmetric-wanda", true, look, {}});
    const std::vector<std::int64_t> shares = p_.layer_balance == "owl"
                                                 ? pruning::owl_counts(matrices, p_.sparsity)
                                                 : pruning::global_counts(matrices, p_.sparsity);
    std::map<std::string, std::int64_t> counts;
    for (std::size_t m = 0; m < matrices.size(); ++m) counts[matrices[m].name] = shares[m];
    return counts;
  }

  SymmetricWandaParams p_;
};

SKIFF_REGISTER(Compressor, SymmetricWanda, SymmetricWandaParams,
               {.name = "symmetric-wanda",
                .summary = "scores from both sides of a layer",
                .paper = "Yi and Richtarik 2025, arXiv:2501.18980",
                .family = "pruning",
                .verified = "scores by hand and against the objective; its special cases are wanda "
                            "and relative importance, bit for bit; swaps of a mask worked out "
                            "independently",
                .deviates = "the output side is the layer's own output, which the paper leaves "
                            "open; R2-DSnoT is our reading of formulas that are not printed in "
                            "full; layer_balance is not in the paper"});

}  // namespace
}  // namespace skiff
