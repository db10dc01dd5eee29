<?php

declare(strict_types=1);

namespace Peyk;

/** Carries one request to the service. It follows no redirection, which would carry the password elsewhere. */
interface Transport
{
    /** Octets of the longest answer that is read: the delivery of 100,000 recipients takes 3 MiB. */
    public const ANSWER_BYTES_MAX = 33554432;

    /**
     * Posts a body.
     *
     * @param string[] $headers whole lines
     * @param float    $timeout seconds for the whole exchange
     *
     * @throws NotSent    no connection could be made
     * @throws AnswerLost the answer did not come, or not in time
     */
    public function post(string $url, array $headers, string $body, float $timeout): Response;
}
