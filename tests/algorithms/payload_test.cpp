#include "algorithms/payload.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace skiff {
namespace {

Payload payload(std::size_t n) { return {std::vector<std::byte>(n)}; }

TEST(SectionIdTest, TheSameNameHasTheSameId) {
  const SectionId a = section_id("payload test a"), b = section_id("payload test b");
  EXPECT_NE(a, b);
  EXPECT_EQ(section_id(std::string("payload test ") + "a"), a);
  EXPECT_EQ(section_name(a), "payload test a");
  EXPECT_EQ(section_name(b), "payload test b");
}

TEST(SectionIdTest, NamesStayWhereTheyAre) {
  const std::string* first = &section_name(section_id("payload test stays"));
  for (int i = 0; i < 1000; ++i) section_id("payload test " + std::to_string(i));
  EXPECT_EQ(first, &section_name(section_id("payload test stays")));
}

TEST(SectionIdTest, ThreadsAgree) {
  std::vector<SectionId> ids(8);
  std::vector<std::thread> threads;
  for (SectionId& id : ids) {
    threads.emplace_back([&id] { id = section_id("payload test shared"); });
  }
  for (std::thread& t : threads) t.join();
  for (const SectionId id : ids) EXPECT_EQ(id, ids.front());
}

TEST(ExchangeTest, SumsTheSectionsOfEachDirection) {
  Exchange exchange;
  EXPECT_EQ(exchange.down_bytes(), Bytes(0));
  exchange.down = {{section_id("model"), Bytes(400), 3}, {section_id("control"), Bytes(100), -1}};
  exchange.up = {{section_id("update"), Bytes(50), -1}};
  EXPECT_EQ(exchange.down_bytes(), Bytes(500));
  EXPECT_EQ(exchange.up_bytes(), Bytes(50));
}

TEST(MessageTest, FindsSectionsAndSumsTheirBytes) {
  Message message;
  EXPECT_EQ(message.find(section_id("model")), nullptr);
  EXPECT_EQ(message.bytes(), Bytes(0));
  message.sections.emplace_back(section_id("model"), payload(440));
  message.sections.emplace_back(section_id("control"), payload(7));
  ASSERT_NE(message.find(section_id("control")), nullptr);
  EXPECT_EQ(message.find(section_id("control"))->size(), Bytes(7));
  EXPECT_EQ(message.bytes(), Bytes(447));
}

}  // namespace
}  // namespace skiff
