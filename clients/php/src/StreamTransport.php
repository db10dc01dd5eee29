<?php

declare(strict_types=1);

namespace Peyk;

/** Through PHP's own HTTP streams, for installations without the extension curl. */
final class StreamTransport implements Transport
{
    /** What PHP says when no request left. Anything else may have come after it. */
    private const NEVER_LEFT = '/refused|getaddrinfo|unreachable|socket transport|SSL|certificate|crypto/i';

    private const READ_BYTES = 65536;

    public function post(string $url, array $headers, string $body, float $timeout): Response
    {
        $until = microtime(true) + $timeout;
        $warnings = [];
        set_error_handler(function (int $level, string $text) use (&$warnings): bool {
            $warnings[] = $text;
            return true;
        });
        try {
            $stream = fopen($url, 'rb', false, $this->context($headers, $body, $timeout));
            if ($stream === false) {
                $this->fail(implode('; ', $warnings));
            }
            return $this->read($stream, $until);
        } finally {
            restore_error_handler();
        }
    }

    /**
     * @param string[] $headers
     *
     * @return resource
     */
    private function context(array $headers, string $body, float $timeout)
    {
        return stream_context_create([
            'http' => [
                'method' => 'POST',
                'header' => array_merge($headers, ['Connection: close']),
                'content' => $body,
                'timeout' => $timeout,
                'follow_location' => 0,
                'ignore_errors' => true,
                'protocol_version' => 1.1,
            ],
        ]);
    }

    private function fail(string $why): void
    {
        // The words hold the address, which has no password in it.
        if (preg_match(self::NEVER_LEFT, $why)) {
            throw new NotSent("cannot reach the service: $why");
        }
        throw new AnswerLost("the service did not answer: $why");
    }

    /** @param resource $stream */
    private function read($stream, float $until): Response
    {
        $about = stream_get_meta_data($stream);
        $head = array_values(array_filter((array) ($about['wrapper_data'] ?? []), 'is_string'));
        $body = '';
        while (!feof($stream)) {
            $left = $until - microtime(true);
            if ($left <= 0) {
                throw new AnswerLost('the service did not answer in time');
            }
            stream_set_timeout($stream, (int) $left, (int) (($left - (int) $left) * 1e6));
            $octets = fread($stream, self::READ_BYTES);
            if (stream_get_meta_data($stream)['timed_out'] || $octets === false) {
                throw new AnswerLost('the service did not answer in time');
            }
            $body .= $octets;
            if (strlen($body) > self::ANSWER_BYTES_MAX) {
                throw new AnswerLost('the answer is longer than ' . self::ANSWER_BYTES_MAX . ' octets');
            }
        }
        return $this->whole($head, $body);
    }

    /** @param string[] $head */
    private function whole(array $head, string $body): Response
    {
        if (!preg_match('#^HTTP/\d(?:\.\d)? (\d{3})#', $head[0] ?? '', $status)) {
            throw new AnswerLost('the service did not answer');
        }
        foreach ($head as $line) {
            if (preg_match('/^content-length:\s*(\d+)/i', $line, $length) && strlen($body) < (int) $length[1]) {
                throw new AnswerLost('the answer was cut off');
            }
        }
        return new Response((int) $status[1], $body, Response::retryAfterOf($head));
    }
}
