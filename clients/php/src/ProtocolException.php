<?php

declare(strict_types=1);

namespace Peyk;

/** Something answered, but not in the words of the service: mostly a wrong address. */
final class ProtocolException extends PeykException
{
    /** Octets of a strange answer that the message shows. */
    private const SHOWN_MAX = 200;

    public function __construct(string $expected, string $body)
    {
        $shown = json_encode(
            substr($body, 0, self::SHOWN_MAX),
            JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE
        );
        parent::__construct("expected $expected, but the answer is: $shown");
    }
}
