#include "sim/cli/assemble_compressors.h"

#include <algorithm>
#include <array>

namespace skiff {
namespace {

constexpr std::array<const char*, 4> kMoments{"start", "dispatch", "client", "end"};

std::size_t moment_of(const std::string& at) {
  return static_cast<std::size_t>(std::find(kMoments.begin(), kMoments.end(), at) -
                                  kMoments.begin());
}

// Why this compressor cannot act then; null: it can.
const char* reason_against(const std::string& at, const Compressor& c, bool trains_base) {
  const bool prunes = c.removes_weights();
  if (at == "start" && !prunes && trains_base) {
    return "weights that are trained leave the grid of the start with their first step: write "
           "dispatch (anew for each version) or end; start is for a frozen base beside adapters";
  }
  if (at == "end" && !trains_base) {
    return "devices hold the base from the first round on: write start";
  }
  if (at == "end" || at == "start" || (at == "dispatch" && !prunes)) return nullptr;
  if (!trains_base) return "the frozen base is made once, by the server: write start";
  if (at == "client" && c.uses_calibration()) {
    return "it needs the server's samples, which devices do not have: write dispatch";
  }
  if (c.changes_shapes()) {
    return "channels cut anew for each version would be another network each round: write start "
           "or end";
  }
  if (prunes && c.size_depends_on_data()) {
    return "how many weights of a layer stay would change from version to version, and with it "
           "what a device must hold: write start or end";
  }
  return nullptr;
}

template <class Section>
void add(const Scenario& s, const char* key, const std::optional<Section>& section, Plan& plan) {
  if (!section) return;
  const std::shared_ptr<const Compressor>& compressor = section->compressor.object;
  const bool trains_base = plan.parametrization->trains_base();
  if (const char* reason = reason_against(section->at, *compressor, trains_base)) {
    throw s.error(std::string("compression.") + key + ".at", reason);
  }
  if (section->at == "end") return plan.at_end.push_back(compressor);
  plan.compressors.push_back(compressor);
  plan.when.push_back(static_cast<When>(moment_of(section->at)));
}

// What is no linear layer, in 16 bits, when the linear layers get their codes.
void add_rest(const QuantizationSection& section, Plan& plan) {
  if (section.rest == "fp32") return;
  Node map;
  map.set(Compressor::kKey, Node::scalar(section.rest));
  map.set("targets", Node::scalar("rest"));
  const auto half = Registry<Compressor>::instance().make(map);
  if (section.at == "end") return plan.at_end.push_back(half);
  plan.compressors.push_back(half);
  plan.when.push_back(static_cast<When>(moment_of(section.at)));
}

// Keys that say how devices train codes, where no device does.
void check_training_keys(const Scenario& s, const Plan& plan) {
  const Node& map = s.compression.quantization->compressor.node;
  for (const char* key : {"aggregation", "wire"}) {
    if (map.find(key) == nullptr) continue;
    throw s.error(std::string("compression.quantization.") + key,
                  plan.parametrization->trains_base()
                      ? "devices train codes only where the server sends them: write at: dispatch"
                      : "devices train the adapters, not the codes: remove it");
  }
}

}  // namespace

void assemble_compressors(const Scenario& s, Plan& plan) {
  const CompressionSection& c = s.compression;
  if (c.pruning && c.quantization && moment_of(c.pruning->at) > moment_of(c.quantization->at)) {
    throw s.error("compression.pruning.at",
                  "what is left is quantized, so pruning comes no later than quantization.at: " +
                      c.quantization->at);
  }
  add(s, "pruning", c.pruning, plan);
  add(s, "quantization", c.quantization, plan);
  if (!c.quantization) return;
  add_rest(*c.quantization, plan);
  const auto own = c.quantization->compressor.object->training();
  if (own == nullptr) return;
  const bool neutral = !c.adaptation || c.adaptation->parametrization.object == nullptr;
  if (neutral && c.quantization->at == "dispatch") {
    plan.parametrization = own;
    if (c.quantization->rest != "fp32" && own->own_upload()) {
      throw s.error("compression.quantization.rest",
                    "wire: codes reports what is no code as 32-bit changes: write fp32, or wire: "
                    "delta");
    }
  } else {
    check_training_keys(s, plan);
  }
}

}  // namespace skiff
