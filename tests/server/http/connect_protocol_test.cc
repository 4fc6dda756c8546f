#include "server/http/connect_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/status.pb.h"
#include "potok/v1/runs.pb.h"

namespace potok::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Encoding = WireForm::Encoding;
using Framing = WireForm::Framing;

const google::protobuf::Descriptor& GetRun() {
  return *v1::GetRunRequest::descriptor();
}

std::string Bytes(std::initializer_list<int> bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(WireFormTest, IsReadFromTheContentType) {
  const auto form = WireFormOf("Application/Connect+JSON ; charset=utf-8");
  ASSERT_TRUE(form.has_value());
  EXPECT_EQ(form->encoding, Encoding::kJson);
  EXPECT_EQ(form->framing, Framing::kEnveloped);
}

TEST(WireFormTest, IsNothingForForeignTypes) {
  for (const char* type : {"",
                           "text/plain",
                           "application/jsonx",
                           "application/connect+xml",
                           "application/grpc",
                           ";",
                           "multipart/form-data"}) {
    EXPECT_FALSE(WireFormOf(type).has_value()) << type;
  }
}

TEST(WireFormTest, EveryTypeReadsAsItIsWritten) {
  for (const char* type : {"application/json",
                           "application/proto",
                           "application/connect+json",
                           "application/connect+proto",
                           "application/x-ndjson"}) {
    EXPECT_EQ(ContentTypeOf(*WireFormOf(type)), type);
    EXPECT_THAT(AcceptedContentTypes(), HasSubstr(type));
  }
}

TEST(EncodingTest, JsonGoesToBinaryAndBack) {
  const auto binary = ToBinary(GetRun(), Encoding::kJson, R"({"name":"a","withoutSpec":true})");
  ASSERT_TRUE(binary.ok()) << binary.status();
  v1::GetRunRequest request;
  ASSERT_TRUE(request.ParseFromString(*binary));
  EXPECT_EQ(request.name(), "a");
  EXPECT_TRUE(request.without_spec());
  EXPECT_EQ(*FromBinary(GetRun(), Encoding::kJson, *binary), R"({"name":"a","withoutSpec":true})");
}

TEST(EncodingTest, AnEmptyBodyIsARequestInWhichNothingIsSet) {
  EXPECT_EQ(*ToBinary(GetRun(), Encoding::kJson, " \n"), "");
}

TEST(EncodingTest, WhatIsWrongInJsonIsNamed) {
  const auto unknown = ToBinary(GetRun(), Encoding::kJson, R"({"nme":"a"})");
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("nme"));
  for (const char* text : {"{",
                           "[]",
                           "1",
                           "{\"name\":{}}",
                           "{\"name\":\"\\ud800\"}",
                           "nonsense",
                           "{\"name\":\"a\"}x",
                           "\xff\xfe"}) {
    EXPECT_EQ(ToBinary(GetRun(), Encoding::kJson, text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(EncodingTest, DeepNestingIsRefusedAndDoesNotOverflow) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "[";
  EXPECT_FALSE(ToBinary(GetRun(), Encoding::kJson, deep).ok());
  deep.clear();
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
  EXPECT_FALSE(ToBinary(GetRun(), Encoding::kJson, deep).ok());
}

TEST(EncodingTest, BytesThatAreNoMessageAreRefused) {
  EXPECT_EQ(ToBinary(GetRun(),
                     Encoding::kProto,
                     "\x0a\x05"
                     "ab")
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(EnvelopeTest, MessagesAreReadOneByOne) {
  const std::string body = Framed("one", Framing::kEnveloped) + Framed("", Framing::kEnveloped) +
                           Framed(std::string(70'000, 'x'), Framing::kEnveloped);
  const auto messages = MessagesOf(body, Framing::kEnveloped);
  ASSERT_TRUE(messages.ok());
  EXPECT_THAT(*messages, ElementsAre("one", "", std::string(70'000, 'x')));
}

TEST(EnvelopeTest, ABodyThatIsCutAnywhereIsRefused) {
  const std::string body = Framed("one", Framing::kEnveloped) + Framed("two", Framing::kEnveloped);
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    const auto messages = MessagesOf(body.substr(0, cut), Framing::kEnveloped);
    EXPECT_EQ(messages.ok(), cut == body.size() / 2) << cut;
  }
}

TEST(EnvelopeTest, ALengthBeyondTheBodyIsRefusedAndNotReserved) {
  const auto messages = MessagesOf(Bytes({0, 0xff, 0xff, 0xff, 0xff, 'a'}), Framing::kEnveloped);
  EXPECT_EQ(messages.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(EnvelopeTest, CompressedOnesAreNotReadAndUnknownFlagsAreWrong) {
  EXPECT_EQ(MessagesOf(Bytes({1, 0, 0, 0, 0}), Framing::kEnveloped).status().code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(MessagesOf(Bytes({2, 0, 0, 0, 0}), Framing::kEnveloped).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LinesTest, EmptyLinesCountForNothing) {
  EXPECT_THAT(*MessagesOf("{\"a\":1}\n\r\n \n{}\r\n{\"b\":2}", Framing::kLines),
              ElementsAre("{\"a\":1}", "{}\r", "{\"b\":2}"));
  EXPECT_THAT(*MessagesOf("", Framing::kLines), IsEmpty());
}

TEST(ErrorTest, SaysCodeMessageAndDetails) {
  google::rpc::Status details;
  v1::PipelineProblem problem;
  problem.set_where("jobs.a");
  problem.set_message("wrong");
  details.add_details()->PackFrom(problem);
  const std::string json =
      ErrorJson({absl::InvalidArgumentError("jobs.a: wrong"), details.SerializeAsString()});
  EXPECT_EQ(json,
            R"({"code":"invalid_argument","message":"jobs.a: wrong","details":[)"
            R"({"type":"potok.v1.PipelineProblem","value":"CgZqb2JzLmESBXdyb25n",)"
            R"("debug":{"where":"jobs.a","message":"wrong"}}]})");
}

TEST(ErrorTest, HostileTextStaysText) {
  EXPECT_EQ(ErrorJson({absl::NotFoundError("no \"run\"\n\x01"), ""}),
            R"({"code":"not_found","message":"no \"run\"\n\u0001"})");
  EXPECT_EQ(ErrorJson({absl::NotFoundError("gr\xc3\xbc\xc3\x9f"), ""}),
            "{\"code\":\"not_found\",\"message\":\"gr\xc3\xbc\xc3\x9f\"}");
  EXPECT_EQ(ErrorJson({absl::NotFoundError("file \xff\xfe.csv"), ""}),
            R"({"code":"not_found","message":"file ??.csv"})");
}

TEST(ErrorTest, DetailsThatCannotBeReadAreLeftOut) {
  EXPECT_EQ(ErrorJson({absl::AbortedError("a"), "\xff\xff"}),
            R"({"code":"aborted","message":"a"})");
}

TEST(ErrorTest, EveryCodeHasAnHttpStatus) {
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kOk), 200);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kNotFound), 404);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kUnauthenticated), 401);
  EXPECT_EQ(HttpStatusOf(static_cast<absl::StatusCode>(77)), 500);
}

TEST(EndOfStreamTest, IsAnEnvelopeOrALine) {
  EXPECT_EQ(EndOfStream({}, Framing::kEnveloped), Bytes({2, 0, 0, 0, 2}) + "{}");
  EXPECT_EQ(EndOfStream({}, Framing::kLines), "");
  const ApiError error{absl::NotFoundError("x"), ""};
  EXPECT_EQ(EndOfStream(error, Framing::kLines),
            "{\"error\":{\"code\":\"not_found\",\"message\":\"x\"}}\n");
}

TEST(TimeoutTest, IsAtMostTenDigits) {
  EXPECT_FALSE(TimeoutOf("")->has_value());
  EXPECT_EQ(**TimeoutOf("1500"), absl::Milliseconds(1500));
  EXPECT_EQ(**TimeoutOf("9999999999"), absl::Milliseconds(9'999'999'999));
  for (const char* wrong : {"-1", "1s", "99999999999", " 1", "0x10"}) {
    EXPECT_EQ(TimeoutOf(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(QueryMessageTest, IsBase64WithOrWithoutPadding) {
  EXPECT_EQ(*QueryMessage("{}", false), "{}");
  EXPECT_EQ(*QueryMessage("-_8", true), "\xfb\xff");
  EXPECT_EQ(*QueryMessage("eyJ9IQ==", true), "{\"}!");
  EXPECT_FALSE(QueryMessage("a!", true).ok());
}

}  // namespace
}  // namespace potok::server
