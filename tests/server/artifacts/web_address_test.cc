#include "server/artifacts/web_address.h"

#include <gtest/gtest.h>

namespace potok::server {
namespace {

TEST(WebAddressTest, ChecksWhatAnAddressTellsByItself) {
  for (const char* url :
       {"http://host/", "HTTPS://me:pass@10.0.0.1:8080/x?y", "http://[fd00::1]/"}) {
    EXPECT_TRUE(CheckWebAddress(url, /*local_sources=*/false).ok()) << url;
  }
  for (const char* url : {"ftp://host/", "http://", "http://host:port/", "host"}) {
    EXPECT_EQ(CheckWebAddress(url, true).code(), absl::StatusCode::kInvalidArgument) << url;
  }
}

TEST(WebAddressTest, RefusesNumbersThatLeadToTheServersOwnMachineOrLink) {
  for (const char* url : {"http://127.0.0.1/",
                          "http://me@127.1:80/",
                          "http://2130706433/",
                          "http://0.0.0.0/",
                          "http://169.254.169.254/latest",
                          "http://[::1]/",
                          "http://[::ffff:127.0.0.1]:80/",
                          "http://[fe80::1]/"}) {
    EXPECT_EQ(CheckWebAddress(url, false).code(), absl::StatusCode::kPermissionDenied) << url;
    EXPECT_TRUE(CheckWebAddress(url, true).ok()) << url;
  }
}

}  // namespace
}  // namespace potok::server
