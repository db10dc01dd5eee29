<?php

declare(strict_types=1);

namespace Peyk;

/** An HTTP answer. */
final class Response
{
    /** @var int */
    public $status;

    /** @var string */
    public $body;

    /** @var float|null seconds after which the server wants to be asked again */
    public $retryAfter;

    public function __construct(int $status, string $body, ?float $retryAfter = null)
    {
        $this->status = $status;
        $this->body = $body;
        $this->retryAfter = $retryAfter;
    }

    /**
     * Reads `Retry-After` from lines of a head.
     *
     * @param string[] $lines
     */
    public static function retryAfterOf(array $lines): ?float
    {
        foreach ($lines as $line) {
            if (preg_match('/^retry-after:\s*(\d{1,6})\s*$/i', $line, $found)) {
                return (float) $found[1];
            }
        }
        return null;
    }
}
