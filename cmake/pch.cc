// Carries the precompiled header; see potok.cmake.
