<?php

declare(strict_types=1);

namespace Peyk;

/** The address of this machine is not on the account's list of addresses. */
final class AddressDeniedException extends PeykException
{
    public function __construct()
    {
        parent::__construct("this machine's address is not on the account's list of addresses");
    }
}
