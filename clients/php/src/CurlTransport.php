<?php

declare(strict_types=1);

namespace Peyk;

/** Through the extension curl. */
final class CurlTransport implements Transport
{
    /**
     * What curl says when no request left: no host, no connection, no agreement on TLS.
     * CURLE_PEER_FAILED_VERIFICATION has had two numbers.
     */
    private const NEVER_LEFT = [5, 6, 7, 35, 51, 53, 54, 58, 59, 60, 66, 77, 82, 83, 90, 91];

    private const TIMED_OUT = 28;

    public function post(string $url, array $headers, string $body, float $timeout): Response
    {
        $head = [];
        $answer = '';
        $handle = curl_init($url);
        curl_setopt_array($handle, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            // Without the empty one, curl waits for "100 Continue" before a larger body.
            CURLOPT_HTTPHEADER => array_merge($headers, ['Expect:']),
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_TIMEOUT_MS => (int) max(1, $timeout * 1000),
            CURLOPT_NOSIGNAL => true,
            CURLOPT_HEADERFUNCTION => function ($handle, string $line) use (&$head): int {
                $head[] = trim($line);
                return strlen($line);
            },
            CURLOPT_WRITEFUNCTION => function ($handle, string $octets) use (&$answer): int {
                $answer .= $octets;
                return strlen($answer) > self::ANSWER_BYTES_MAX ? 0 : strlen($octets);
            },
        ]);
        if (curl_exec($handle) === false) {
            $this->fail($handle);
        }
        $status = (int) curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
        return new Response($status, $answer, Response::retryAfterOf($head));
    }

    /** @param resource|\CurlHandle $handle */
    private function fail($handle): void
    {
        $error = curl_errno($handle);
        $why = curl_error($handle);
        $hasBegun = curl_getinfo($handle, CURLINFO_PRETRANSFER_TIME) > 0;
        $neverLeft = in_array($error, self::NEVER_LEFT, true);
        if ($neverLeft || ($error === self::TIMED_OUT && !$hasBegun)) {
            throw new NotSent("cannot reach the service: $why");
        }
        throw new AnswerLost("the service did not answer: $why");
    }
}
