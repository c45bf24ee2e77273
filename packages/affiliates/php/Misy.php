<?php

declare(strict_types=1);

/** Misy for servers of a site, in PHP 8.1 or newer: no dependencies. */

namespace Misy;

use RuntimeException;
use ValueError;

/** An answer that is no success. `errorCode` is stable and meant for programs. */
final class MisyError extends RuntimeException
{
    public readonly string $errorCode;
    public readonly ?string $requestId;
    public readonly ?string $serverTime;
    /** @var list<array<string, mixed>> */
    public readonly array $errors;

    /** @param array<string, mixed> $problem */
    public function __construct(public readonly int $status, array $problem)
    {
        $this->errorCode = $problem['code'] ?? "http_$status";
        $this->requestId = $problem['requestId'] ?? null;
        $this->serverTime = $problem['serverTime'] ?? null;
        $this->errors = $problem['errors'] ?? [];
        parent::__construct("$status $this->errorCode: " . ($problem['detail'] ?? $problem['title'] ?? 'no detail'));
    }
}

/**
 * The headers that prove who sends a request.
 *
 * @param string $key 32 bytes
 * @param int|null $timestamp in Unix seconds
 * @param string|null $nonce 10 to 64 characters of base64url, never used twice
 * @return array<string, string>
 */
function signatureHeaders(
    string $key,
    string $method,
    string $url,
    string $body = '',
    string $token = '',
    ?int $timestamp = null,
    ?string $nonce = null,
): array {
    $address = parse_url($url);
    $host = strtolower($address['host']) . (isset($address['port']) ? ':' . $address['port'] : '');
    $moment = (string) ($timestamp ?? time());
    $once = $nonce ?? rtrim(strtr(base64_encode(random_bytes(16)), '+/', '-_'), '=');
    $lines = [
        'v1',
        $method,
        $host,
        $address['path'] ?? '/',
        $address['query'] ?? '',
        hash('sha256', $body),
        $moment,
        $once,
        $token === '' ? '' : hash('sha256', $token),
    ];
    $signature = hash_hmac('sha256', implode("\n", $lines), $key);
    return ['X-Misy-Timestamp' => $moment, 'X-Misy-Nonce' => $once, 'X-Misy-Signature' => "v1=$signature"];
}

/** A server that calls Misy with the tenant secret. */
final class MisyServer
{
    private const BASE = '/api/meta-agent';
    /** A token is renewed when so little of its life is left, in seconds. */
    private const RENEW_BEFORE = 60;

    private readonly string $key;
    private int $clockOffset = 0;

    /**
     * @param string $secretId with `$secret`: as shown when the tenant secret was made
     * @param list<string>|null $permissions what its own token may do
     * @param array<string, mixed>|null $token a token of an earlier request, from `token()`: keep it in a cache of yours
     */
    public function __construct(
        private readonly string $apiOrigin,
        private readonly string $secretId,
        #[\SensitiveParameter] string $secret,
        private readonly string $siteId = 'main',
        private readonly ?array $permissions = null,
        private readonly float $timeout = 20,
        private ?array $token = null,
    ) {
        $this->key = (string) base64_decode(strtr($secret, '-_', '+/'), true);
        if (strlen($this->key) !== 32) {
            throw new ValueError('a tenant secret is 32 bytes in base64url');
        }
    }

    /**
     * Makes a token, for this server or, with `origin`, for a page of the site: the page then signs with the `signingKey` of
     * the answer.
     *
     * @param array{permissions?: list<string>, ttlSeconds?: int, sig?: string, origin?: string} $wishes
     * @return array<string, mixed>
     */
    public function mintToken(array $wishes = []): array
    {
        return $this->send('POST', '/tokens', ['siteId' => $this->siteId] + $wishes, '', ['X-Misy-Key' => $this->secretId]);
    }

    /**
     * Calls the API below `/api/meta-agent` and gives the JSON of its answer.
     *
     * @param array<mixed>|null $body
     * @throws MisyError
     */
    public function call(string $method, string $path, ?array $body = null): mixed
    {
        return $this->send($method, $path, $body, $this->token()['token']);
    }

    /** @return array<string, mixed> This server's own token, made anew when it is about to expire. */
    public function token(): array
    {
        if ($this->token === null || strtotime($this->token['expiresAt']) - $this->now() < self::RENEW_BEFORE) {
            $wishes = $this->permissions === null ? [] : ['permissions' => $this->permissions];
            $this->token = $this->mintToken($wishes + ['sig' => 'tenant']);
        }
        return $this->token;
    }

    private function now(): int
    {
        return time() + $this->clockOffset;
    }

    /**
     * @param array<mixed>|null $body
     * @param array<string, string> $headers
     */
    private function send(
        string $method,
        string $path,
        ?array $body,
        string $token,
        array $headers = [],
        bool $again = true,
    ): mixed {
        $url = rtrim($this->apiOrigin, '/') . self::BASE . $path;
        // An empty list would be written as `[]`; the API takes objects.
        $text = $body === null ? '' : json_encode($body ?: new \stdClass(), JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
        $sent = $headers + signatureHeaders($this->key, $method, $url, $text, $token, $this->now());
        if ($body !== null) {
            $sent['Content-Type'] = 'application/json';
        }
        if ($token !== '') {
            $sent['Authorization'] = "Bearer $token";
        }
        $lines = array_map(fn (string $name, string $value): string => "$name: $value", array_keys($sent), $sent);
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => $lines,
            'content' => $text,
            'timeout' => $this->timeout,
            'ignore_errors' => true,
            'follow_location' => 0,
        ]]);
        $answer = @file_get_contents($url, false, $context);
        if ($answer === false) {
            throw new MisyError(0, ['code' => 'network_error', 'detail' => error_get_last()['message'] ?? 'no answer']);
        }
        $status = (int) (explode(' ', $http_response_header[0])[1] ?? 0);
        $read = $answer === '' ? null : json_decode($answer, true);
        if ($status >= 200 && $status < 300) {
            return $read;
        }
        $error = new MisyError($status, is_array($read) ? $read : []);
        // Our clock is wrong: the server has told its own.
        if ($again && $error->errorCode === 'timestamp_out_of_window' && $error->serverTime !== null) {
            $this->clockOffset = strtotime($error->serverTime) - time();
            return $this->send($method, $path, $body, $token, $headers, false);
        }
        throw $error;
    }
}
