# Writes a key container with two tokens by python3-pskc, encrypted where a password is given.
import sys
from pskc import PSKC

password, algorithm, prf = sys.argv[1:4]
container = PSKC()
container.add_key(
    serial='1000', manufacturer='Acme', device_userid='uid=alice,dc=example,dc=org', id='1', algorithm='hotp', counter=7,
    response_length=8, response_encoding='DECIMAL', secret=b'12345678901234567890')
container.add_key(
    serial='1001', manufacturer='Acme', key_userid='bob', id='2', algorithm='totp', time_interval=60, time_drift=-4,
    response_length=6, response_encoding='DECIMAL', secret=b'12345678901234567890')
if password:
    container.encryption.setup_pbkdf2(password, iterations=20000, key_length={'128': 16, '192': 24, '256': 32}[algorithm[3:6]],
                                      algorithm=algorithm, prf=prf)
container.write(sys.stdout.buffer)
