#include "devices/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devices/memory.h"
#include "tests/devices/profiles.h"

namespace skiff {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;

constexpr const char* kOwnClass = R"(
sources: {lab: "measured in our laboratory"}
classes:
  lab-phone:
    about: A phone of ours
    memory:
      ram: {value: 3 GB, source: lab, confidence: high}
      foreground: {value: 50%, source: lab, confidence: high}
      background: {value: 0.2, source: lab, confidence: high}
      runtime: {value: 40 MB, source: lab, confidence: high}
      bandwidth: {value: 10 GB/s, source: lab, confidence: high}
      efficiency: {value: 60%, source: lab, confidence: high}
      energy: {value: 60 pJ/B, source: lab, confidence: high}
    cpu:
      fp32: {value: 100 GFLOP/s, source: lab, confidence: high}
      fp16: none
      int8: none
      inference: {value: 35%, source: lab, confidence: high}
      training: {value: 20%, source: lab, confidence: high}
      half_batch: {value: 4, source: lab, confidence: high}
      launch: {value: 1 ms, source: lab, confidence: high}
      energy: {value: 40 pJ/FLOP, source: lab, confidence: high}
    gpu: none
    npu: none
    flash:
      read: {value: 1 GB/s, source: lab, confidence: high}
      write: {value: 1 GB/s, source: lab, confidence: high}
      read_energy: {value: 15 pJ/bit, source: lab, confidence: high}
      write_energy: {value: 60 pJ/bit, source: lab, confidence: high}
      budget: {value: 1 GB, source: lab, confidence: high}
    power:
      idle: {value: 40 mW, source: lab, confidence: high}
      peak: {value: 6 W, source: lab, confidence: high}
      sustained: {value: 3 W, source: lab, confidence: high}
    battery: mains
    links: {value: {wifi: 1}, source: lab, confidence: high}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::vector<std::string> problems_of(const std::string& text) {
  Reader reader;
  read_texts({text}, reader, true);
  std::vector<std::string> all;
  for (const Problem& p : reader.problems()) all.push_back(to_string(p));
  return all;
}

TEST(Catalogue, ShipsTheClassesThatScenariosName) {
  const std::vector<std::string> names = shipped_catalogue().class_names();
  EXPECT_GE(names.size(), 24u);
  EXPECT_THAT(names, IsSupersetOf({"iphone-15-pro",       "iphone-13",        "iphone-11",
                                   "pixel-8-pro",         "galaxy-s24-ultra", "galaxy-s23",
                                   "galaxy-note10-plus",  "galaxy-a54",       "redmi-note-8",
                                   "budget-android",      "android-go",       "nexus-6",
                                   "ipad-air-m1",         "tab-a8",           "macbook-air-m2",
                                   "laptop-x86",          "rpi-5-8g",         "rpi-4-4g",
                                   "iot-sensor",          "jetson-nano-4g",   "jetson-orin-nano-8g",
                                   "jetson-agx-orin-64g", "mcu-esp32s3",      "mcu-stm32h7"}));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(shipped_catalogue().link_names(),
              IsSupersetOf({"wifi", "ethernet", "lte", "5g-low", "5g-mid", "3g", "ble"}));
}

// The published table of practical model sizes: ~2 GB, ~3 GB, ~500 MB, ~50 MB.
TEST(Catalogue, BackgroundBudgetsArePracticalModelSizes) {
  const std::vector<std::pair<std::string, double>> table{
      {"iphone-15-pro", 2e9}, {"pixel-8-pro", 3e9}, {"budget-android", 5e8}, {"iot-sensor", 5e7}};
  for (const auto& [name, bytes] : table) {
    EXPECT_NEAR(as_double(background_memory(shipped(name))), bytes, 0.08 * bytes) << name;
  }
  EXPECT_EQ(background_memory(shipped("budget-android")), Bytes(512ll << 20));
}

TEST(Catalogue, EveryNumberHasItsSource) {
  for (const DeviceProfile& d : shipped_catalogue().classes()) {
    EXPECT_GT(d.memory.ram.source.size(), 10u) << d.name;
    EXPECT_GT(d.cpu.energy.source.size(), 10u) << d.name;
    EXPECT_GT(d.flash.write_energy.source.size(), 10u) << d.name;
    EXPECT_GT(d.links.source.size(), 10u) << d.name;
    EXPECT_GE(d.memory.foreground.value, d.memory.background.value) << d.name;
    EXPECT_GT(d.memory.runtime.value, Bytes(0)) << d.name;
    EXPECT_LT(d.memory.runtime.value, foreground_memory(d)) << d.name;
  }
}

TEST(Catalogue, AClassOfTheUsersOwnStandsBesideTheShippedOnes) {
  Reader reader;
  const Catalogue catalogue = read_texts({kOwnClass}, reader, true);
  reader.throw_if_any();
  const DeviceProfile* own = catalogue.find_class("lab-phone");
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->memory.ram.value, Bytes(3'000'000'000));
  EXPECT_EQ(own->memory.ram.source, "measured in our laboratory");
  EXPECT_EQ(own->memory.ram.confidence, Confidence::kHigh);
  EXPECT_FALSE(own->battery.has_value());
  EXPECT_FALSE(own->gpu.has_value());
  EXPECT_NE(catalogue.find_class("iphone-15-pro"), nullptr);
}

TEST(Catalogue, ALaterDocumentReplacesAClass) {
  Reader reader;
  const std::string other = replaced(kOwnClass, "lab-phone", "pixel-8-pro");
  const Catalogue catalogue = read_texts({other}, reader, true);
  reader.throw_if_any();
  EXPECT_EQ(catalogue.find_class("pixel-8-pro")->memory.ram.value, Bytes(3'000'000'000));
  EXPECT_EQ(catalogue.classes().size(), shipped_catalogue().classes().size());
}

TEST(Catalogue, DefaultsHoldForClassesThatSayNothing) {
  std::string text =
      replaced(kOwnClass, "classes:",
               "defaults: {cpu: {launch: {value: 3 ms, source: lab, confidence: low}}}"
               "\nclasses:");
  text = replaced(text, "      launch: {value: 1 ms, source: lab, confidence: high}\n", "");
  Reader reader;
  const Catalogue catalogue = read_texts({text}, reader, true);
  reader.throw_if_any();
  EXPECT_EQ(catalogue.find_class("lab-phone")->cpu.launch.value, Seconds(3e-3));
}

TEST(Catalogue, AMissingNumberIsRefused) {
  EXPECT_THAT(problems_of(replaced(kOwnClass,
                                   "      runtime: {value: 40 MB, source: lab, "
                                   "confidence: high}\n",
                                   "")),
              Contains(HasSubstr("classes.lab-phone.memory.runtime: required")));
  EXPECT_THAT(problems_of(replaced(kOwnClass, "    gpu: none\n", "")),
              Contains(HasSubstr("classes.lab-phone.gpu: required")));
  EXPECT_THAT(problems_of(replaced(kOwnClass, "value: 3 GB, source", "source")),
              Contains(HasSubstr("memory.ram.value: required; nothing is taken as 0")));
}

TEST(Catalogue, MistakesAreNamedWithTheirPlace) {
  const std::vector<std::array<std::string, 3>> cases{
      {"{value: 3 GB, source: lab, confidence: high}", "3 GB",
       "own.yaml:7:12: classes.lab-phone.memory.ram: expected {value: 3 GB, source: ..., "
       "confidence: high | medium | low}"},
      {"value: 3 GB", "value: 3 Mbps",
       "memory.ram.value: \"3 Mbps\" is a rate; expected bytes such as \"20 MB\""},
      {"value: 3 GB", "value: 3", "memory.ram.value: \"3\" needs a unit of bytes"},
      {"value: 3 GB, source: lab", "value: 3 GB, source: lap",
       "memory.ram.source: \"lap\" is not among the sources of this file; did you mean \"lab\"?"},
      {"3 GB, source: lab, confidence: high", "3 GB, source: lab, confidence: sure",
       "memory.ram.confidence: \"sure\" unknown; allowed: high, medium, low"},
      {"value: 60 pJ/B", "value: 60 pJ", "unknown unit \"pJ\"; expected pJ/B"},
      {"value: 50%", "value: 50", "memory.foreground.value: 50 is outside 0..1; did you mean 50%?"},
      {"foreground:", "forground:", "memory.forground: unknown key; did you mean \"foreground\"?"},
      {"wifi: 1", "wify: 1", "links.wify: unknown key; did you mean \"wifi\"?"},
      {"idle: {value: 40 mW", "idle: {value: 40 W", "power: idle is not below peak"},
      {"fp32: {value: 100 GFLOP/s, source: lab, confidence: high}", "fp32: none",
       "a cpu needs fp32"},
      {"classes:", "klasses:", "klasses: unknown key; did you mean \"classes\"?"},
  };
  for (const auto& [from, to, message] : cases) {
    EXPECT_THAT(problems_of(replaced(kOwnClass, from, to)), Contains(HasSubstr(message)));
  }
}

TEST(Catalogue, OneMistakeInTheDefaultsIsSaidOnce) {
  std::string text = replaced(kOwnClass, "classes:", "defaults: {cpuu: 3}\nclasses:");
  text += replaced(std::string(kOwnClass).substr(std::string(kOwnClass).find("  lab-phone")),
                   "lab-phone", "lab-tablet");
  EXPECT_EQ(problems_of(text).size(), 1u);
}

TEST(Catalogue, AnUnknownClassNamesTheNearest) {
  EXPECT_EQ(shipped_catalogue().unknown_class("iphone15pro"),
            "unknown class \"iphone15pro\"; did you mean \"iphone-15-pro\"? skiff list devices");
  EXPECT_EQ(shipped_catalogue().unknown_class("xyzzy"),
            "unknown class \"xyzzy\"; skiff list devices");
}

}  // namespace
}  // namespace skiff
