<?php
// Has Sallyport check a code: php verify.php USER SERVICE [ADDRESS] <CODE
//
// Status 0 lets the person in, 1 does not. A panel requires this file and calls sallyport_verify().
declare(strict_types=1);

const SALLYPORT_SOCKET = '/run/sallyport/io.sallyport';
const SALLYPORT_SECONDS = 10.0; // for all of it
const SALLYPORT_LONGEST = 64 << 10; // bytes of a reply

// Returns [whether to let the person in, what to tell them]. Whatever goes wrong lets nobody in.
function sallyport_verify(string $user, string $code, string $service, ?string $address = null): array
{
    $parameters = ['user' => $user, 'code' => $code, 'service' => $service];
    if ($address !== null && $address !== '') {
        $parameters['rhost'] = $address;
    }
    try {
        $reply = sallyport_call('io.sallyport.Login.Verify', $parameters);
        $allowed = in_array($reply['verdict'] ?? null, ['granted', 'not_required'], true);
        return [$allowed, (string) ($reply['message'] ?? '')];
    } catch (Throwable $e) {
        error_log('sallyport: ' . $e->getMessage());
        return [false, 'The code cannot be checked at the moment.'];
    }
}

// One Varlink call: JSON and a NUL out, JSON and a NUL back.
function sallyport_call(string $method, array $parameters): array
{
    $request = json_encode(['method' => $method, 'parameters' => $parameters], JSON_THROW_ON_ERROR) . "\0";
    $end = microtime(true) + SALLYPORT_SECONDS;
    $s = @stream_socket_client('unix://' . SALLYPORT_SOCKET, $number, $error, SALLYPORT_SECONDS);
    if ($s === false) {
        throw new RuntimeException("no connection: $error");
    }
    try {
        if (fwrite($s, $request) !== strlen($request)) {
            throw new RuntimeException('the request was not taken');
        }
        $reply = '';
        while (!str_contains($reply, "\0")) {
            $left = max($end - microtime(true), 0.001);
            stream_set_timeout($s, (int) $left, (int) (($left - (int) $left) * 1e6));
            $part = fread($s, 4096);
            if ($part === false || $part === '' || strlen($reply) > SALLYPORT_LONGEST) {
                throw new RuntimeException('no whole reply');
            }
            $reply .= $part;
        }
    } finally {
        fclose($s);
    }
    $reply = json_decode(strstr($reply, "\0", true), true, 16, JSON_THROW_ON_ERROR);
    if (!is_array($reply) || isset($reply['error']) || !is_array($reply['parameters'] ?? null)) {
        throw new RuntimeException('refused: ' . json_encode($reply));
    }
    return $reply['parameters'];
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    if ($argc < 3 || $argc > 4) {
        fwrite(STDERR, "php verify.php USER SERVICE [ADDRESS] <CODE\n");
        exit(2);
    }
    $code = rtrim((string) fgets(STDIN, 1024), "\n");
    [$allowed, $message] = sallyport_verify($argv[1], $code, $argv[2], $argv[3] ?? null);
    echo $message ?: 'Let in.', "\n";
    exit($allowed ? 0 : 1);
}
