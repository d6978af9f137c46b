#include "devices/population.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/core/error.h"

namespace skiff {
namespace {

// Cumulative shares of links, so that one uniform draw picks one.
struct LinkMix {
  std::vector<LinkId> link;
  std::vector<double> up_to;

  LinkMix(const Catalogue& catalogue, const LinkWeights& weights) {
    double sum = 0;
    for (const auto& [name, weight] : weights) {
      SKIFF_CHECK(weight >= 0, "a weight is not negative");
      link.push_back(catalogue.link_id(name));
      up_to.push_back(sum += weight);
    }
    SKIFF_CHECK(sum > 0, "links without weight");
  }
  LinkId pick(double uniform) const {
    const double at = uniform * up_to.back();
    const auto it = std::upper_bound(up_to.begin(), up_to.end() - 1, at);
    return link[static_cast<std::size_t>(it - up_to.begin())];
  }
};

std::vector<ClassId> deal_classes(const Catalogue& catalogue, const PopulationSpec& spec,
                                  std::size_t devices, std::uint64_t seed) {
  std::vector<double> weights;
  for (const auto& [name, weight] : spec.classes) weights.push_back(weight);
  const std::vector<std::size_t> counts = apportion(weights, devices);
  std::vector<ClassId> dealt;
  dealt.reserve(devices);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    dealt.insert(dealt.end(), counts[i], catalogue.class_id(spec.classes[i].first));
  }
  Stream stream(seed, "device.class");
  shuffle(stream, std::span(dealt));
  return dealt;
}

}  // namespace

std::vector<std::size_t> apportion(const std::vector<double>& weights, std::size_t n) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  SKIFF_CHECK(sum > 0, "a population without weight");
  std::vector<std::size_t> counts;
  std::vector<std::pair<double, std::size_t>> rests;  // -remainder, index
  std::size_t given = 0;
  for (const double w : weights) {
    SKIFF_CHECK(w >= 0, "a weight is not negative");
    const double quota = static_cast<double>(n) * (w / sum);
    // A quota that should be whole may miss it by rounding: 0.15 x 200 / 1.0000000000000002.
    const double whole = std::floor(quota + 1e-9);
    counts.push_back(static_cast<std::size_t>(whole));
    rests.emplace_back(-std::max(0.0, quota - whole), counts.size() - 1);
    given += counts.back();
  }
  std::stable_sort(rests.begin(), rests.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; given < n; ++i, ++given) ++counts[rests[i % rests.size()].second];
  return counts;
}

Fleet::Fleet(const Catalogue& catalogue, const PopulationSpec& spec, std::size_t devices,
             std::uint64_t seed)
    : catalogue_(&catalogue), class_(deal_classes(catalogue, spec, devices, seed)) {
  link_.reserve(devices);
  for (auto* column : {&cpu_factor_, &health_, &battery_start_, &rtt_s_}) column->reserve(devices);
  download_bps_.reserve(devices);
  upload_bps_.reserve(devices);
  std::vector<LinkMix> mixes;  // by class
  for (const DeviceProfile& profile : catalogue.classes()) {
    mixes.emplace_back(catalogue, spec.links.empty() ? profile.links.value : spec.links);
  }
  for (std::size_t i = 0; i < devices; ++i) {
    Stream hardware(seed, "device.hardware", i);
    cpu_factor_.push_back(lognormal(hardware, 1.0, spec.cpu_spread));
    health_.push_back(0.8 + 0.2 * hardware.uniform());
    Stream battery(seed, "device.battery", i);
    battery_start_.push_back(std::clamp(spec.battery_start.sample(battery, i), 0.0, 1.0));
    Stream network(seed, "device.link", i);
    link_.push_back(mixes[class_[i]].pick(network.uniform()));
    draw_link(spec, i, seed, network);
  }
}

void Fleet::draw_link(const PopulationSpec& spec, std::size_t device, std::uint64_t seed,
                      Stream& stream) {
  const LinkProfile& link = catalogue_->links()[link_[device]];
  const double luck = lognormal(stream, 1.0, link.spread.value);
  const double factor = spec.rates == LinkRates::kLognormal ? luck : 1.0;
  BytesPerSecond down = link.download.value * factor;
  BytesPerSecond up = link.upload.value * factor;
  Seconds rtt = link.rtt.value;
  if (spec.download) {
    Stream own(seed, "device.download", device);
    down = spec.download->sample(own, device);
  }
  if (spec.upload) {
    Stream own(seed, "device.upload", device);
    up = spec.upload->sample(own, device);
  }
  if (spec.rtt) {
    Stream own(seed, "device.rtt", device);
    rtt = spec.rtt->sample(own, device);
  }
  download_bps_.push_back(bits_per_second(down));
  upload_bps_.push_back(bits_per_second(up));
  rtt_s_.push_back(std::max(0.0, rtt.value()));
}

Device Fleet::operator[](std::size_t device) const {
  Device d;
  d.profile = &profile(device);
  d.link = &catalogue_->links()[link_[device]];
  d.access = {download_bps_[device], upload_bps_[device], Seconds(rtt_s_[device]),
              d.link->header.value};
  d.cpu_factor = cpu_factor_[device];
  d.battery_start = battery_start_[device];
  if (d.profile->battery) d.battery = d.profile->battery->capacity.value * health_[device];
  return d;
}

}  // namespace skiff
