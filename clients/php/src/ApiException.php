<?php

declare(strict_types=1);

namespace Peyk;

/**
 * The service refused, and says why: `getCode()` is the number on the wire, `getName()` its name,
 * `getText()` the words of the service, mostly Persian.
 */
final class ApiException extends PeykException
{
    /** @var string */
    private $text;

    public function __construct(int $code, string $text = '')
    {
        $this->text = $text;
        $name = Codes::NAMES[$code] ?? 'Unknown';
        parent::__construct($text === '' ? "$code $name" : "$code $name: $text", $code);
    }

    /** Such as `InsufficientCredit`; `Unknown` for a code that this version does not know. */
    public function getName(): string
    {
        return Codes::NAMES[$this->getCode()] ?? 'Unknown';
    }

    public function getText(): string
    {
        return $this->text;
    }
}
