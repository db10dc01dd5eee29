<?php

declare(strict_types=1);

namespace Peyk;

/** No answer of the service came. */
final class TransportException extends PeykException
{
    /** @var bool */
    private $outcomeUnknown;

    /** @var string|null */
    private $localId;

    public function __construct(
        string $message,
        bool $outcomeUnknown,
        ?string $localId = null,
        ?\Throwable $previous = null
    ) {
        parent::__construct($message, 0, $previous);
        $this->outcomeUnknown = $outcomeUnknown;
        $this->localId = $localId;
    }

    /** Whether the service may have done what was asked. */
    public function isOutcomeUnknown(): bool
    {
        return $this->outcomeUnknown;
    }

    /** After a send: with this name the same send is safe within 24 hours, it is not sent twice. */
    public function getLocalId(): ?string
    {
        return $this->localId;
    }
}
