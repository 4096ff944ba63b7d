#include "harness/protocol.hpp"

#include <gtest/gtest.h>

namespace loopbench {
namespace {

TEST(ProtocolTest, AnswersOfTheDocumentedFormAreRead) {
    EXPECT_EQ(read_answer(R"({"type":"done","operations":3,"elapsed_ns":7,
                              "metrics":{"cpu_ns_per_start":41.5},
                              "histograms":{"lateness":{"sub_bits":7,"counts":[[3,2],[9,1]]}}})",
                          "done")["operations"],
              3);
    EXPECT_EQ(read_answer(R"({"type":"marked","counters":{"turns":1,"allocations":null}})",
                          "marked")["counters"]["turns"],
              1);
    EXPECT_EQ(
        read_answer(R"({"type":"ready","address":"unix:/a","deviations":[]})", "ready")["address"],
        "unix:/a");
    EXPECT_EQ(read_answer(R"({"type":"connected","connections":64,"extra":true})",
                          "connected")["connections"],
              64);
}

TEST(ProtocolTest, AnErrorMayComeInPlaceOfAnyAnswer) {
    EXPECT_EQ(read_answer(R"({"type":"error","what":"no","remedy":"yes"})", "done")["what"], "no");
}

TEST(ProtocolTest, EverythingElseIsAViolation) {
    const char* violations[] = {
        "",
        "null",
        "[]",
        "{",
        "{} {}",
        R"({"type":7})",
        R"({"type":"ready"})",
        R"({"type":"done"})",
        R"({"type":"done","operations":-1,"elapsed_ns":7})",
        R"({"type":"done","operations":1.5,"elapsed_ns":7})",
        R"({"type":"done","operations":"1","elapsed_ns":7})",
        R"({"type":"done","operations":1,"elapsed_ns":7,"metrics":{"a":"b"}})",
        R"({"type":"done","operations":1,"elapsed_ns":7,"histograms":{"a":{"counts":[]}}})",
        R"({"type":"done","operations":1,"elapsed_ns":7,"histograms":{"a":{"sub_bits":7,"counts":[[1]]}}})",
        R"({"type":"error"})",
    };
    for (const char* line : violations) {
        EXPECT_THROW(read_answer(line, "done"), ProtocolViolation) << line;
    }
}

TEST(ProtocolTest, AnotherVersionIsRefused) {
    const std::string start = R"({"type":"description","name":"a","version":"1","protocol":)";
    EXPECT_NO_THROW(read_answer(start + "1}", "description"));
    try {
        read_answer(start + "2}", "description");
        FAIL();
    } catch (const ProtocolViolation& violation) {
        EXPECT_NE(std::string(violation.what()).find("version 2"), std::string::npos);
    }
}

}  // namespace
}  // namespace loopbench
