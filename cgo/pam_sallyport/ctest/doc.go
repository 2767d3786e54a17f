// Package ctest tests the PAM module in real libpam: its C half alone, under the sanitizers and valgrind, with a test in
// the place of the verifier, and the whole module with its Go half. testdata/host.c is the application that logs in;
// nothing of the host's own /etc and /run is touched.
package ctest
