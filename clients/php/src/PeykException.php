<?php

declare(strict_types=1);

namespace Peyk;

/** Anything that went wrong in a call of the service. */
class PeykException extends \RuntimeException
{
}
