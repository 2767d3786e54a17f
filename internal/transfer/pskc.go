package transfer

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/otp"
)

// PSKC reads a key container for hardware tokens (RFC 6030). password is asked for one where the keys are encrypted with
// a key that is made of a password (§6.2). A key is the user's to whom owners gives the device's serial number, or else
// the one that the container names; it may name none.
func PSKC(data []byte, password func() (string, error), owners map[string]string) ([]Account, error) {
	c, err := container(data)
	if err != nil {
		return nil, err
	}
	var open opener
	if c.EncryptionKey != nil {
		if open, err = c.opener(password); err != nil {
			return nil, err
		}
	}
	var all []Account
	for i := range c.Packages {
		p := &c.Packages[i]
		a := Account{Where: fmt.Sprintf("key %d", i+1)}
		if p.SerialNo != "" {
			a.Where += ", device " + shown(p.SerialNo)
		}
		if len(p.Keys) != 1 {
			a.Err = fmt.Errorf("the package has %d keys: must be 1", len(p.Keys))
			all = append(all, a)
			continue
		}
		a.User = owners[p.SerialNo]
		for _, id := range []string{p.Keys[0].UserID, p.UserID} {
			if a.User == "" {
				a.User = nameOf(id)
			}
		}
		a.Err = a.pskc(p, open)
		all = append(all, a)
	}
	return gather(all), nil
}

// Owners reads which device is whose: on each line a serial number and a user.
func Owners(data []byte) (map[string]string, error) {
	owners := map[string]string{}
	var wrong error
	err := lines(data, MaxFile, func(n int, line string) {
		words := strings.Fields(line)
		if len(words) != 2 || owners[words[0]] != "" {
			wrong = errors.Join(wrong, fmt.Errorf("line %d: must be a serial number, each once, and a user", n))
			return
		}
		owners[words[0]] = words[1]
	})
	return owners, errors.Join(err, wrong)
}

// keyContainer is what we read of a container; names are compared without their namespaces, which drafts of the RFC had
// others of.
type keyContainer struct {
	XMLName       xml.Name       `xml:"KeyContainer"`
	Version       string         `xml:"Version,attr"`
	EncryptionKey *encryptionKey `xml:"EncryptionKey"`
	MACMethod     *macMethod     `xml:"MACMethod"`
	Packages      []keyPackage   `xml:"KeyPackage"`
}

type keyPackage struct {
	SerialNo string    `xml:"DeviceInfo>SerialNo"`
	UserID   string    `xml:"DeviceInfo>UserId"`
	Keys     []pskcKey `xml:"Key"` // one (§4.2)
}

type pskcKey struct {
	Algorithm string `xml:"Algorithm,attr"`
	UserID    string `xml:"UserId"`
	Suite     string `xml:"AlgorithmParameters>Suite"`
	Format    struct {
		Length   string `xml:"Length,attr"`
		Encoding string `xml:"Encoding,attr"`
	} `xml:"AlgorithmParameters>ResponseFormat"`
	Secret   dataValue `xml:"Data>Secret"`
	Counter  dataValue `xml:"Data>Counter"`
	Interval dataValue `xml:"Data>TimeInterval"`
	Drift    dataValue `xml:"Data>TimeDrift"`
	Policy   struct {
		Parts []struct {
			XMLName xml.Name
		} `xml:",any"`
	} `xml:"Policy"`
}

// dataValue is a value in clear, or encrypted and with a MAC over that.
type dataValue struct {
	Plain     *string    `xml:"PlainValue"`
	Encrypted *encrypted `xml:"EncryptedValue"`
	MAC       string     `xml:"ValueMAC"`
}

func container(data []byte) (*keyContainer, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("it has %d bytes: must have at most %d", len(data), MaxFile)
	}
	var c keyContainer
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&c); err != nil {
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("line %d: it is not well-formed XML", syntax.Line)
		}
		return nil, errors.New("it must be an XML document with the root KeyContainer")
	}
	if _, err := d.Token(); err != nil && err != io.EOF {
		return nil, errors.New("something follows the key container")
	}
	if c.Version != "1.0" {
		return nil, fmt.Errorf("version %s: must be \"1.0\"", shown(c.Version))
	}
	return &c, nil
}

const pskcURN = "urn:ietf:params:xml:ns:keyprov:pskc:"

func (a *Account) pskc(p *keyPackage, open opener) error {
	d := Device{Label: "token", Key: otp.Key{Algorithm: otp.SHA1}}
	if serial := strings.TrimSpace(p.SerialNo); serial != "" && len(serial) <= 50 && isUser(serial) {
		d.Label += " " + serial
	}
	k := &p.Keys[0]
	switch strings.TrimPrefix(k.Algorithm, pskcURN) {
	case "hotp":
		d.Key.Kind = otp.HOTP
	case "totp":
		d.Key.Kind, d.Key.Period = otp.TOTP, 30*time.Second
	default:
		return fmt.Errorf("algorithm %s: must be hotp or totp", shown(k.Algorithm))
	}
	if k.Suite != "" {
		d.Key.Algorithm = otp.Algorithm(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(k.Suite)), "HMAC-"))
	}
	digits, err := strconv.Atoi(k.Format.Length)
	if err != nil || k.Format.Encoding != "DECIMAL" {
		return errors.New("its codes must be digits, of a given number")
	}
	d.Key.Digits = digits
	if d.Key.Secret, err = k.Secret.secret(open); err != nil {
		return err
	}
	if err := d.moving(k); err != nil {
		return err
	}
	a.Devices = append(a.Devices, d)
	return a.policy(k)
}

// moving takes over what moves the device on from code to code.
func (d *Device) moving(k *pskcKey) error {
	if d.Key.Kind == otp.HOTP {
		return k.Counter.number("Counter", 0, 1<<62, &d.Counter)
	}
	seconds := int64(d.Key.Period / time.Second)
	if err := k.Interval.number("TimeInterval", 1, 1<<20, &seconds); err != nil {
		return err
	}
	d.Key.Period = time.Duration(seconds) * time.Second
	return k.Drift.number("TimeDrift", -1<<31, 1<<31, &d.Offset)
}

// policy notes what a key's policy says; Sallyport has its own. A key with a policy that nobody knows must not be used
// (RFC 6030 §5).
func (a *Account) policy(k *pskcKey) error {
	for _, p := range k.Policy.Parts {
		switch name := p.XMLName.Local; name {
		case "KeyUsage":
		case "StartDate", "ExpiryDate", "PINPolicy", "NumberOfTransactions":
			a.note("Its %s is not taken over.", name)
		default:
			return fmt.Errorf("its policy has %s, which is not known", shown(name))
		}
	}
	return nil
}

func (v *dataValue) secret(open opener) (otp.Secret, error) {
	switch {
	case v.Plain != nil && v.Encrypted == nil:
		b, err := fromBase64(*v.Plain)
		if err != nil {
			return otp.Secret{}, errors.New("secret: must be base64")
		}
		return otp.NewSecret(b), nil
	case v.Plain == nil && v.Encrypted != nil && open != nil:
		b, err := open(v.Encrypted, v.MAC)
		if err != nil {
			return otp.Secret{}, fmt.Errorf("secret: %w", err)
		}
		return otp.NewSecret(b), nil
	case v.Encrypted != nil:
		return otp.Secret{}, errors.New("secret: it is encrypted, and the container does not say how")
	}
	return otp.Secret{}, errors.New("secret: is missing")
}

// number leaves the default where there is none.
func (v *dataValue) number(name string, least, most int64, into *int64) error {
	if v.Encrypted != nil {
		return fmt.Errorf("%s: must not be encrypted", name)
	}
	if v.Plain == nil {
		return nil
	}
	return one(name, strings.Fields(*v.Plain), least, most, into)
}

// fromBase64 takes the spaces that XML is laid out with.
func fromBase64(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}

// nameOf is the user that an identity names: its first UID or CN where it is a distinguished name (RFC 4514), as
// RFC 6030 has it.
func nameOf(id string) string {
	id = strings.TrimSpace(id)
	for part := range strings.SplitSeq(id, ",") {
		kind, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if ok && (strings.EqualFold(kind, "uid") || strings.EqualFold(kind, "cn")) {
			return value
		}
	}
	return id
}
