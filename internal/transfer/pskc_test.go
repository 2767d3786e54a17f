package transfer

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func noPassword() (string, error) { return "", errors.New("nobody was to be asked") }

func password(text string) func() (string, error) {
	return func() (string, error) { return text, nil }
}

// written is a key container that python3-pskc makes.
func written(t *testing.T, password, algorithm, prf string) []byte {
	t.Helper()
	return []byte(run(t, "", "/usr/bin/python3", "testdata/write.py", password, algorithm, prf))
}

// TestPSKC reads what another program writes, in clear and under each cipher.
func TestPSKC(t *testing.T) {
	for _, test := range []struct{ password, algorithm, prf string }{
		{"", "aes128-cbc", "hmac-sha1"},
		{"korrekt Pferd", "aes128-cbc", "hmac-sha1"},
		{"korrekt Pferd", "aes192-cbc", "hmac-sha512"},
		{"korrekt Pferd", "aes256-cbc", "hmac-sha256"},
	} {
		data := written(t, test.password, test.algorithm, test.prf)
		ask := noPassword
		if test.password != "" {
			ask = password(test.password)
			_, err := PSKC(data, noPassword, nil)
			wantError(t, "without a password", err, "nobody was to be asked")
		} else {
			run(t, string(data), "pskctool", "--info", "--strict", "--quiet")
		}
		all, err := PSKC(data, ask, map[string]string{"1001": "carol"})
		if err != nil || len(all) != 2 {
			t.Fatalf("%v: %v, %v", test, all, err)
		}
		for i, want := range []string{
			"alice: hotp SHA1 8 0s c7 o0 u[]; 0 scratch; ",
			"carol: totp SHA1 6 1m0s c0 o-4 u[]; 0 scratch; ",
		} {
			if got := summary(all[i]); got != want || all[i].Err != nil {
				t.Errorf("%v: %s, %v; want %s", test, got, all[i].Err, want)
				continue
			}
			if ours, theirs := code(t, all[i].Devices[0]), oathtool(t, all[i].Devices[0]); ours != theirs {
				t.Errorf("%s, and oathtool says %s", ours, theirs)
			}
		}
		if test.password == "" {
			continue
		}
		all, err = PSKC(data, password("falsch"), nil)
		if err == nil && len(all) == 2 {
			err = all[0].Err
		}
		wantError(t, "with another password", err, "password is wrong")
	}
}

// The example of RFC 6030, whose secret RFC 4226 has codes of in its appendix D.
func TestPSKCOfTheRFC(t *testing.T) {
	data, err := os.ReadFile("testdata/rfc6030-figure7.xml")
	if err != nil {
		t.Fatal(err)
	}
	all, err := PSKC(data, password("qwerty"), map[string]string{"987654321": "alice"})
	a := only(t, all, err)
	if got, want := code(t, a.Devices[0]), "84755224"; got != want {
		t.Errorf("the first code is %s, want %s", got, want)
	}
	if a.Devices[0].Label != "token 987654321" {
		t.Errorf("the device is %q", a.Devices[0].Label)
	}
	all, err = PSKC(data, password("qwerty"), nil)
	if err != nil || all[0].User != "" || !strings.Contains(all[0].Where, "987654321") {
		t.Errorf("whose it is, is not said: %q at %q, %v", all[0].User, all[0].Where, err)
	}

	// Whatever of it is changed, is noticed.
	for part, other := range map[string]string{
		"oTvo+S22": "oTvo+S23", "LP6xMvjt": "LP6xMvju", "2GTTnLwM": "2GTTnLwN", "Ej7/PEpy": "Ej7/PEpz",
	} {
		all, err := PSKC([]byte(strings.Replace(string(data), part, other, 1)), password("qwerty"), nil)
		if err == nil {
			err = all[0].Err
		}
		wantError(t, part, err, "password is wrong, or the file was changed")
	}
	for part, change := range map[string]struct{ to, want string }{
		"<IterationCount>1000<":   {"<IterationCount>5000001<", "PBKDF2 iterations 5000001"},
		"<KeyLength>16<":          {"<KeyLength>17<", "PBKDF2 key of 17 bytes"},
		"#pbkdf2":                 {"#other", "not made of a password"},
		"xmldsig#hmac-sha1":       {"xmldsig#hmac-md5", "MAC algorithm"},
		"<PRF/>":                  {`<PRF Algorithm="x#hmac-md5"/>`, "MAC algorithm"},
		"<Specified>Ej7/PEpyEpw=": {"<Specified>", "PBKDF2 salt"},
		"pskc:MACMethod":          {"pskc:NoMethod", "no MACMethod"},
		"#aes128-cbc":             {"#aes256-cbc", "a key of 16 bytes"},
	} {
		_, err := PSKC([]byte(strings.ReplaceAll(string(data), part, change.to)), password("qwerty"), nil)
		wantError(t, part, err, change.want)
	}
}

// plain is a container with one key in clear.
const plain = `<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"><KeyPackage><DeviceInfo><SerialNo>7</SerialNo></DeviceInfo>` +
	`<Key Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp"><AlgorithmParameters><Suite>HMAC-SHA256</Suite><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>` +
	`<Data><Secret><PlainValue>` + secret64 + `</PlainValue></Secret></Data><UserId>CN=alice,O=x</UserId><Policy><KeyUsage>OTP</KeyUsage><ExpiryDate>2030-01-01T00:00:00Z</ExpiryDate></Policy></Key></KeyPackage></KeyContainer>`

func TestPSKCRefuses(t *testing.T) {
	all, err := PSKC([]byte(plain), noPassword, nil)
	a := only(t, all, err)
	if got, want := summary(a), "alice: totp SHA256 6 30s c0 o0 u[]; 0 scratch; Its ExpiryDate is not taken over."; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, test := range []struct{ from, to, want string }{
		{"pskc:totp", "pskc:ocra", "algorithm"},
		{"HMAC-SHA256", "HMAC-MD5", "algorithm"},
		{`Length="6"`, `Length="9"`, "digits 9"},
		{`Length="6"`, `Length="x"`, "must be digits"},
		{"DECIMAL", "HEXADECIMAL", "must be digits"},
		{secret64, "!", "must be base64"},
		{secret64, "MTIz", "secret of 3 bytes"},
		{"PlainValue>", "Nothing>", "secret: is missing"},
		{"PlainValue>", "EncryptedValue>", "does not say how"},
		{"KeyUsage", "Unheard", `its policy has "Unheard"`},
		{"CN=alice", "CN=a/b", "user: must have"},
		{"</Data>", "<TimeInterval><PlainValue>5</PlainValue></TimeInterval></Data>", "period 5s"},
		{"</Data>", "<TimeDrift><PlainValue>x</PlainValue></TimeDrift></Data>", "TimeDrift must be a number"},
		{"</Data>", "<TimeDrift><EncryptedValue/></TimeDrift></Data>", "TimeDrift: must not be encrypted"},
		{"</KeyPackage>", `<Key Algorithm="hotp"/></KeyPackage>`, "2 keys: must be 1"},
	} {
		all, err := PSKC([]byte(strings.ReplaceAll(plain, test.from, test.to)), noPassword, nil)
		if err != nil || len(all) != 1 {
			t.Errorf("%s: %d accounts, %v", test.to, len(all), err)
			continue
		}
		wantError(t, test.to, all[0].Err, test.want)
	}
	for text, want := range map[string]string{
		"":                              "must be an XML document",
		"<x/>":                          "must be an XML document",
		"<KeyContainer":                 "not well-formed",
		plain[:len(plain)-3]:            "not well-formed",
		plain + "<":                     "something follows",
		`<KeyContainer Version="2.0"/>`: `version "2.0"`,
		`<!DOCTYPE x [<!ENTITY a "b">]><KeyContainer Version="1.0">&a;</KeyContainer>`: "not well-formed",
	} {
		_, err := PSKC([]byte(text), noPassword, nil)
		wantError(t, text, err, want)
	}
}

func TestOwners(t *testing.T) {
	owners, err := Owners([]byte("# tokens\n1000 alice\n1001\tbob\n"))
	if err != nil || len(owners) != 2 || owners["1001"] != "bob" {
		t.Errorf("%v, %v", owners, err)
	}
	_, err = Owners([]byte("1000 alice\n1000 bob\n1001\n"))
	wantError(t, "a serial twice, and one without a user", err, "line 2: must be")
	wantError(t, "a serial twice, and one without a user", err, "line 3: must be")
}
